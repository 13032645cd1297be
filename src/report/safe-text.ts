/** Begins every control sequence that we write or keep. */
export const ESC = String.fromCharCode(0x1b);
/** Ends all colours and styles. */
export const RESET = `${ESC}[0m`;
/** Colour and style sequences, as they stand in text that went through safeText or came from our own theme. */
export const SGR = new RegExp(`${ESC}\\[[0-9;:]*m`, "g");

/**
 * Text from an app, a request or a build, made harmless for the terminal: a log line may bring its colours, but must
 * not move the cursor, clear the screen, change the title, write the clipboard (OSC 52) or ask the terminal something.
 * Kept: printable text, tabs, and SGR (`ESC [ … m`) where colours are on. Of a line that was overwritten with carriage
 * returns, only what would have stayed visible is kept. Grammar: ECMA-48, section 5.
 */
export function safeText(text: string, keepColours: boolean): string {
  const line = afterCarriageReturn(text);
  if (isPlain(line)) return line;
  let out = "";
  let coloured = false;
  for (let at = 0; at < line.length;) {
    const code = line.charCodeAt(at);
    if (isPrintable(code)) {
      out += line[at];
      at += 1;
      continue;
    }
    const end = endOfControl(line, at);
    if (keepColours && isSgr(line, at, end)) {
      out += line.slice(at, end);
      coloured = true;
    }
    at = end;
  }
  return coloured ? `${out}${RESET}` : out;
}

function afterCarriageReturn(text: string): string {
  if (!text.includes("\r")) return text;
  const segments = text.split("\r");
  return segments.findLast((segment) => segment !== "") ?? "";
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (!isPrintable(text.charCodeAt(at))) return false;
  return true;
}

/** Neither C0 (tab excepted), DEL nor C1. */
function isPrintable(code: number): boolean {
  return code === 0x09 || (code >= 0x20 && code < 0x7f) || code > 0x9f;
}

/** Index after the control function that begins at `at`. */
function endOfControl(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code !== 0x1b) {
    if (code === 0x9b) return endOfCsi(text, at + 1);
    return isStringOpener(code) ? endOfString(text, at + 1) : at + 1;
  }
  const next = text.charCodeAt(at + 1);
  if (next === 0x5b) return endOfCsi(text, at + 2);
  // ESC followed by 0x40..0x5f is the seven-bit form of C1.
  if (isStringOpener(next + 0x40)) return endOfString(text, at + 2);
  let end = at + 1;
  while (inRange(text.charCodeAt(end), 0x20, 0x2f)) end += 1;
  return inRange(text.charCodeAt(end), 0x30, 0x7e) ? end + 1 : end;
}

/** DCS, SOS, OSC, PM, APC: everything up to the string terminator belongs to them. */
function isStringOpener(code: number): boolean {
  return code === 0x90 || code === 0x98 || code === 0x9d || code === 0x9e || code === 0x9f;
}

function endOfCsi(text: string, from: number): number {
  let end = from;
  while (inRange(text.charCodeAt(end), 0x20, 0x3f)) end += 1;
  return inRange(text.charCodeAt(end), 0x40, 0x7e) ? end + 1 : end;
}

/** Ends with BEL, ST or ESC \; a string that is never ended takes the rest of the line, as a terminal would. */
function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x07 || code === 0x9c) return at + 1;
    if (code === 0x1b && text.charCodeAt(at + 1) === 0x5c) return at + 2;
  }
  return text.length;
}

function isSgr(text: string, start: number, end: number): boolean {
  if (text.charCodeAt(start) !== 0x1b || text[start + 1] !== "[" || text[end - 1] !== "m") return false;
  return /^[0-9;:]*$/.test(text.slice(start + 2, end - 1));
}

function inRange(code: number, low: number, high: number): boolean {
  return code >= low && code <= high;
}
