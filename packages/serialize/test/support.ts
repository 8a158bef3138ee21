/** What several test files need. */
import { readFileSync } from "node:fs"
import { Safetensors } from "@optim/serialize"

/** A file of `test/fixtures`, written by the reference. */
export const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`./fixtures/${name}.safetensors`, import.meta.url)))

/** A file with this text as its header and these bytes as its data. */
export const fileOf = (header: string | Uint8Array, data: ReadonlyArray<number> = []): Uint8Array => {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  return Uint8Array.from([...length, ...text, ...data])
}

/** What a function throws. */
export const thrown = (f: () => unknown): unknown => {
  try {
    f()
  } catch (error) {
    return error
  }
  throw new Error("expected a failure")
}

/** The message of what a function throws. */
export const messageOf = (f: () => unknown): string => {
  const error = thrown(f)
  return error instanceof Error ? error.message : String(error)
}

/** A file with one float32 tensor `w` of shape [2]. */
export const small = (): Uint8Array =>
  Safetensors.encode({
    tensors: [Safetensors.fromHost("w", { shape: [2], data: Float32Array.of(1, -2) })],
    metadata: { note: "first" }
  })
