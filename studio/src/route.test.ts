import { describe, expect, it } from "vitest";
import { readState, withValue, writeState } from "./look/state.ts";
import { parseRoute, routeTo } from "./route.ts";
import { parseEvent } from "./server-events.ts";

describe("addresses", () => {
  it("hold names of any letters, and come back as they went", () => {
    const { path, query } = parseRoute(routeTo(["run", "a/b ?#ü"], { run: ["x&y", "z"], at: undefined }));
    expect(path).toEqual(["run", "a/b ?#ü"]);
    expect(query.getAll("run")).toEqual(["x&y", "z"]);
    expect(query.has("at")).toBe(false);
    expect(parseRoute("#/%E0%A4%A/x").path).toEqual(["%E0%A4%A", "x"]);
    expect(parseRoute("").path).toEqual([]);
  });

  it("hold all that a look shows", () => {
    const state = {
      ...{ models: ["a", "b"], image: "3", show: "gradcam", layers: [undefined, 2], heads: [1, undefined] },
      ...{ classes: [], at: { x: 0.25, y: 0.5 } },
    };
    expect(readState(parseRoute(writeState(state)).query)).toEqual(state);
    expect(readState(new URLSearchParams("model=a&at=9,1&layer=-1")).at).toBeUndefined();
    expect(readState(new URLSearchParams("layer=-1&model=a&model=b&model=c"))).toMatchObject({
      ...{ show: "attention", layers: [undefined], models: ["a", "b"] },
    });
    expect(withValue([], 1, 4)).toEqual([undefined, 4]);
  });
});

describe("server-sent events", () => {
  it("have a name and lines of data; comments are none", () => {
    expect(parseEvent('event: curves\ndata: {"a":1}')).toEqual({ name: "curves", data: '{"a":1}' });
    expect(parseEvent("data: a\ndata: b")).toEqual({ name: "message", data: "a\nb" });
    expect(parseEvent(": still here")).toBeUndefined();
  });
});
