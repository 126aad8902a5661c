import { expect, it } from "vitest";
import type { TensorData } from "../graph/types.ts";
import { EngineClient, engineBackend } from "./engine-client.ts";
import type { EngineRequest } from "./engine-protocol.ts";

it("refuses values that were handed over before, instead of waiting for an answer that cannot come", async () => {
  const asked: EngineRequest[] = [];
  const client = new EngineClient({
    post(request, transfer) {
      asked.push(structuredClone(request, { transfer }));
      queueMicrotask(() => client.settle({ id: request.id, result: request.call.method === "load" ? 0 : new Map() }));
    },
    close: async () => {},
  });
  const session = await engineBackend(client, { device: "cpu", target: {} }).load({ model: new Uint8Array() });
  const image: TensorData = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) };
  const feeds = new Map([["image", image]]);
  await session.run(feeds, { consume: ["image"] });
  await expect(session.run(feeds, { consume: ["image"] })).rejects.toThrow("image were handed over before");
  expect(asked).toHaveLength(2);
});
