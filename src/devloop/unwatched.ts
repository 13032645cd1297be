/** What never counts as a change, whatever .dockerignore says. */

/** Huge, and changed by tools rather than by people: a rebuild after `npm install` comes from package-lock.json. */
const DIRECTORIES = new Set(["node_modules", ".git"]);

/** Files that editors and file managers make beside the edited one; opening a file must not rebuild anything. */
const EDITOR_FILES = [
  /\.sw[a-z]$/, // vim's swap files
  /^4913$/, // vim's test whether it may write here
  /~$/, // backups of vim, emacs, gedit
  /^\.#/, // emacs' locks
  /^#.*#$/, // emacs' autosaves
  /___jb_(?:tmp|old)___$/, // JetBrains' safe write
  /^\.subl.*\.tmp$/, // Sublime Text's safe write
  /^\.DS_Store$/,
  /^\.goutputstream-/, // GNOME's safe write
];

/** `relativePath`: relative to the context or to the manifest's directory, `/`-separated. */
export function isNeverWatched(relativePath: string): boolean {
  const segments = relativePath.split("/");
  if (segments.some((segment) => DIRECTORIES.has(segment))) return true;
  const name = segments.at(-1) ?? "";
  return EDITOR_FILES.some((pattern) => pattern.test(name));
}
