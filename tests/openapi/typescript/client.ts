// A program in strict TypeScript on the generated types: it lists, changes and polls.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { env: Record<string, string | undefined> };

const api = createClient<paths>({
  baseUrl: process.env["ZKPUSH_URL"] ?? "",
  headers: { Authorization: `Bearer ${process.env["ZKPUSH_TOKEN"] ?? ""}` },
});

type Punch = components["schemas"]["AttendanceRecord"];
type Part = { items: Punch[]; next: string | null; cursor: string };

async function part(after: string): Promise<Part> {
  const { data, error } = await api.GET("/api/v1/attendance", {
    params: { query: { limit: 1, after } },
  });
  if (error !== undefined) throw new Error(error.detail);
  // A list is a text where the caller accepts CSV or lines of JSON, and no JSON.
  if (typeof data === "string") throw new Error("not JSON");
  return data;
}

async function punches(after: string): Promise<[Punch[], string]> {
  const found: Punch[] = [];
  let place: string | null = after;
  let cursor = after;
  while (place !== null) {
    const listed: Part = await part(place);
    found.push(...listed.items);
    place = listed.next;
    cursor = listed.cursor;
  }
  return [found, cursor];
}

const [found, cursor] = await punches("0");
const [later] = await punches(cursor);
const changed = await api.PATCH("/api/v1/devices/{sn}", {
  params: { path: { sn: "T1" } },
  body: { alias: "Gate" },
});
const missing = await api.GET("/api/v1/devices/{sn}", { params: { path: { sn: "T9" } } });
const queued = await api.POST("/api/v1/devices/{sn}/commands", {
  params: { path: { sn: "T1" }, header: { "Idempotency-Key": "typescript" } },
  body: { command: "INFO" },
});
const words: (string | null | undefined)[] = found.map((punch) => punch.status_meaning);
console.log(
  JSON.stringify({
    words,
    later: later.length,
    alias: changed.data?.alias,
    missing: missing.error?.status,
    queued: queued.data?.state,
  }),
);
