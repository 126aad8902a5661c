import { describe, expect, it } from "vitest";
import { median } from "../src/median.ts";
import { compare, measure, type Player, turnOrder } from "./stats.ts";

describe("median", () => {
  it("is the middle value, whatever the order", () => expect(median([9, 1, 5])).toBe(5));
  it("is the mean of the two middle values of an even count", () => expect(median([4, 1, 3, 100])).toBe(3.5));
  it("leaves its argument as it was", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
  it("refuses no values", () => expect(() => median([])).toThrow(RangeError));
});

describe("turns", () => {
  it("alternate between two players", () => {
    expect([0, 1, 2].map((r) => turnOrder(["a", "b"], r).join(""))).toEqual(["ab", "ba", "ab"]);
  });

  it("go to every player once a round, with a pause before each", async () => {
    const log: string[] = [];
    const player = (name: string): Player => ({ name, turn: async () => log.push(name) });
    const samples = await measure([player("ours"), player("peer")], {
      rounds: 3,
      pause: async () => void log.push("-"),
    });
    expect(log.join(" ")).toBe("- ours - peer - peer - ours - ours - peer");
    expect(samples.get("ours")).toHaveLength(3);
    expect(samples.get("peer")).toHaveLength(3);
  });

  it("end early for a slow player, and only its own rounds are compared", async () => {
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    let turns = 0;
    const ours: Player = { name: "ours", turn: async () => ++turns };
    const slow: Player = { name: "slow", turn: async () => wait(15).then(() => 20) };
    const samples = await measure([ours, slow], { rounds: 5, slow: 10, slowRounds: 2 });
    expect(samples.get("ours")).toEqual([1, 2, 3, 4, 5]);
    expect(samples.get("slow")).toEqual([20, 20]);
    expect(compare(samples.get("ours") ?? [], samples.get("slow") ?? [])).toMatchObject({ ours: 1.5, rounds: 2 });
  });
});

describe("compare", () => {
  it("gives peer / ours of the medians and of the minima", () => {
    const c = compare([10, 12, 8], [20, 6, 30]);
    expect(c).toEqual({ ours: 10, peer: 20, ratio: 2, ratioMin: 0.75, oursMin: 8, peerMin: 6, rounds: 3 });
  });
});
