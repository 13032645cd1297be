import { describe, expect, it } from "vitest";
import { sniffContentType } from "../../src/proxy/sniff.ts";

const HTML = "text/html; charset=utf-8";
const TEXT = "text/plain; charset=utf-8";
const BINARY = "application/octet-stream";

describe("sniffContentType", () => {
  // What Go's http.DetectContentType says of them.
  it.each([
    ["hello\n", TEXT],
    ["", TEXT],
    ['{"a": 1}', TEXT],
    ["  \n<html>", HTML],
    ["<!doctype html>", HTML],
    ["<p class=x>", HTML],
    ["<!-- -->", HTML],
    ["<a", TEXT],
    ["<abbr>", TEXT],
    ["<?xml version='1.0'?>", "text/xml; charset=utf-8"],
    ["\n<?xml ", "text/xml; charset=utf-8"],
    ["<?XML ", TEXT],
    ["%PDF-1.7", "application/pdf"],
    [" %PDF-1.7", TEXT],
    ["\u00fe\u00ff\0h", "text/plain; charset=utf-16be"],
    ["\u00ff\u00feh\0", "text/plain; charset=utf-16le"],
    ["\u00ef\u00bb\u00bfh", TEXT],
    ["GIF89a..", "image/gif"],
    ["\u0089PNG\r\n\u001a\n", "image/png"],
    ["\u00ff\u00d8\u00ff\u00e0", "image/jpeg"],
    ["RIFF1234WEBPVP8 ", "image/webp"],
    ["RIFF1234WAVEfmt ", "audio/wave"],
    ["ID3\u0003", "audio/mpeg"],
    ["\0\0\0\u0018ftypmp42\0\0\0\0mp42isom", "video/mp4"],
    ["\0\0\0\u0018ftypqt  \0\0\0\0qt  isom", BINARY],
    ["\u001a\u0045\u00df\u00a3", "video/webm"],
    ["\u001f\u008b\u0008\0", "application/x-gzip"],
    ["PK\u0003\u0004", "application/zip"],
    ["\0asm\u0001", "application/wasm"],
    ["\u0001\u0002\u0003", BINARY],
    ["text with a bell \u0007", BINARY],
    ["text with an escape \u001b[0m", TEXT],
    ["h\u00e9", TEXT],
  ])("takes %j for %s", (body, type) => {
    expect(sniffContentType(Buffer.from(body, "latin1"))).toBe(type);
  });

  it("looks at 512 bytes and no further", () => {
    expect(sniffContentType(Buffer.from(`${"x".repeat(512)}\0`))).toBe(TEXT);
    expect(sniffContentType(Buffer.from(`${"x".repeat(511)}\0`))).toBe(BINARY);
  });
});
