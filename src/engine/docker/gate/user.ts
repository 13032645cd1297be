/** Which user a container's USER means, by the rules of the engines (moby/sys/user, GetExecUser). Pure. */
import { KserveLocalError } from "../../../kernel/errors.ts";
import { explainStartFailure } from "../start-failure.ts";

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, the primary one included, as engines do since CVE-2022-36109. */
  readonly groups: readonly number[];
  /** What HOME is set to where the image and the manifest don't. */
  readonly home: string;
}

export interface Accounts {
  /** Content of /etc/passwd; empty where the image has none. */
  readonly passwd: string;
  readonly group: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const LARGEST_ID = 2 ** 31 - 1;

/** `user`: `""` (root), `name`, `uid`, and either with `:group` or `:gid`. Throws KserveLocalError `start-failed`. */
export function resolveUser(user: string, accounts: Accounts): ResolvedUser {
  const [userPart = "", groupPart = ""] = user.split(":", 2);
  const wantedUid = idOf(userPart);
  const entry = passwdEntries(accounts.passwd).find(({ name, uid }) =>
    userPart === "" ? uid === 0 : wantedUid === undefined ? name === userPart : uid === wantedUid,
  );
  if (entry === undefined && userPart !== "" && wantedUid === undefined)
    throw unknown(`unable to find user ${userPart}: no matching entries in passwd file`);
  const uid = entry?.uid ?? wantedUid ?? 0;
  const groups = groupEntries(accounts.group);
  if (groupPart !== "") {
    const gid = groupId(groupPart, groups);
    return { uid, gid, groups: [gid], home: entry?.home ?? "/" };
  }
  const gid = entry?.gid ?? 0;
  const others = entry === undefined ? [] : groups.filter(({ members }) => members.includes(entry.name));
  return {
    uid,
    gid,
    groups: [...new Set([gid, ...others.map((group) => group.gid)])],
    home: entry?.home ?? "/",
  };
}

function groupId(wanted: string, groups: readonly GroupEntry[]): number {
  const number = idOf(wanted);
  const found = groups.find(({ name, gid }) => (number === undefined ? name === wanted : gid === number));
  if (found === undefined && number === undefined)
    throw unknown(`unable to find group ${wanted}: no matching entries in group file`);
  return found?.gid ?? number ?? 0;
}

function unknown(words: string): KserveLocalError {
  return new KserveLocalError("start-failed", explainStartFailure(words, ""));
}

function idOf(text: string): number | undefined {
  return /^\d+$/.test(text) && Number(text) <= LARGEST_ID ? Number(text) : undefined;
}

/** Lines that don't parse are passed over, as the engines do. */
function passwdEntries(text: string): PasswdEntry[] {
  return rows(text).flatMap(([name = "", , uid = "", gid = "", , home = ""]) => {
    const [u, g] = [idOf(uid), idOf(gid)];
    return name === "" || u === undefined || g === undefined
      ? []
      : [{ name, uid: u, gid: g, home: home === "" ? "/" : home }];
  });
}

function groupEntries(text: string): GroupEntry[] {
  return rows(text).flatMap(([name = "", , gid = "", members = ""]) => {
    const g = idOf(gid);
    return name === "" || g === undefined
      ? []
      : [{ name, gid: g, members: members.split(",").map((member) => member.trim()) }];
  });
}

function rows(text: string): string[][] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}
