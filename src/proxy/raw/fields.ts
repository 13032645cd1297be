/**
 * Reads field lines as RFC 9112 section 5 writes them and nothing else: no folded line, no bare CR or LF, no space before
 * the colon, no control character. Whatever two parsers could read differently is refused rather than repaired.
 */

/** What framing and connection handling need to know of a field section, noted while it is read. */
export interface Fields {
  /** Name, value, name, value, ... in the sender's order and spelling. */
  readonly rawHeaders: string[];
  /** Content-Length; -1 where there is none. */
  length: number;
  /** The transfer codings of all such fields, as sent; undefined where there are none. */
  coding: string | undefined;
  /** Options that Connection names. */
  close: boolean;
  keepAlive: boolean;
  switches: boolean;
  /** The value of the (first) Upgrade field, '' where there is none. */
  upgrade: string;
  hosts: number;
  expect: string | undefined;
}

const CR = 13;
const LF = 10;
const COLON = 58;

/** 1: token (RFC 9110 section 5.6.2), 2: field-value (section 5.5: visible, space, tab, obs-text), 3: both. */
const CLASS = characterClasses();

function characterClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let code = 0x20; code <= 0xff; code += 1) if (code !== 0x7f) classes[code] = 2;
  classes[9] = 2;
  const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const character of token) classes[character.charCodeAt(0)] = 3;
  return classes;
}

export function isTokenCode(code: number): boolean {
  return ((CLASS[code] as number) & 1) !== 0;
}

/** Whether text can be sent as a field value or reason as it is: latin1, without control characters. */
export function isSendable(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 0xff || CLASS[code] === 0) return false;
  }
  return true;
}

/**
 * Reads the field lines in `text` from `at` to its end, each with its CRLF. `text` holds one character for each byte.
 * Undefined where it is malformed, or where its framing is ambiguous whatever the recipient (RFC 9112 section 6.3).
 */
export function readFields(text: string, from: number): Fields | undefined {
  const fields: Fields = {
    rawHeaders: [],
    length: -1,
    coding: undefined,
    close: false,
    keepAlive: false,
    switches: false,
    upgrade: "",
    hosts: 0,
    expect: undefined,
  };
  const end = text.length;
  let at = from;
  while (at < end) {
    const nameAt = at;
    while (at < end && ((CLASS[text.charCodeAt(at)] as number) & 1) !== 0) at += 1;
    if (at === nameAt || text.charCodeAt(at) !== COLON) return undefined;
    const name = text.slice(nameAt, at);
    at += 1;
    while (isBlank(text.charCodeAt(at))) at += 1;
    const valueAt = at;
    while (at < end && CLASS[text.charCodeAt(at)] !== 0) at += 1;
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) return undefined;
    let valueEnd = at;
    while (valueEnd > valueAt && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
    const value = text.slice(valueAt, valueEnd);
    if (isFraming(name) && text.slice(nameAt, at).includes("\t")) return undefined;
    at += 2;
    fields.rawHeaders.push(name, value);
    if (!note(fields, name, value)) return undefined;
  }
  return fields;
}

/** Parsers differ on whether a tab belongs to the value (node's own takes `chunked<tab>` for another coding): not here. */
function isFraming(name: string): boolean {
  if (name.length !== "content-length".length && name.length !== "transfer-encoding".length) return false;
  const lower = name.toLowerCase();
  return lower === "content-length" || lower === "transfer-encoding";
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** False if the field is of no use to anybody. Only names of a telling length are looked at closer. */
function note(fields: Fields, name: string, value: string): boolean {
  switch (name.length) {
    case 4:
      if (name.toLowerCase() === "host") fields.hosts += 1;
      return true;
    case 6:
      if (name.toLowerCase() === "expect") fields.expect ??= value;
      return true;
    case 7:
      if (name.toLowerCase() === "upgrade" && fields.upgrade === "") fields.upgrade = value;
      return true;
    case 10:
      if (name.toLowerCase() === "connection") noteConnection(fields, value);
      return true;
    case 14:
      return name.toLowerCase() !== "content-length" || noteLength(fields, value);
    case 17:
      if (name.toLowerCase() === "transfer-encoding")
        fields.coding = fields.coding === undefined ? value : `${fields.coding}, ${value}`;
      return true;
    default:
      return true;
  }
}

/** Digits only, once, and few enough to be exact: a length that two parsers could round differently is none. */
function noteLength(fields: Fields, value: string): boolean {
  if (fields.length >= 0 || !/^\d+$/.test(value)) return false;
  const length = Number(value);
  fields.length = length;
  return Number.isSafeInteger(length);
}

function noteConnection(fields: Fields, value: string): void {
  // The two that nearly every message has need no splitting.
  const lower = value.toLowerCase();
  if (lower === "keep-alive") fields.keepAlive = true;
  else if (lower === "close") fields.close = true;
  else {
    for (const part of lower.split(",")) {
      const option = part.trim();
      if (option === "close") fields.close = true;
      else if (option === "keep-alive") fields.keepAlive = true;
      else if (option === "upgrade") fields.switches = true;
    }
  }
}
