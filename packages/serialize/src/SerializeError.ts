/**
 * What can go wrong when tensors are written and read back, as values.
 *
 * Files are untrusted: whatever is wrong with one is `InvalidSafetensors` (the layout) or `InvalidCheckpoint` (what optim
 * put into it), with the byte or the key where it was seen. A sound file that belongs to something else is
 * `CheckpointMismatch`, which lists every difference at once.
 */
import * as Schema from "effect/Schema"
import { place, quoted } from "./internal/show.ts"

/** What part of the layout is wrong. */
export const LayoutFault = Schema.Literals([
  "Truncated",
  "HeaderTooLarge",
  "HeaderSyntax",
  "HeaderEncoding",
  "DuplicateName",
  "ForbiddenName",
  "MissingField",
  "UnknownField",
  "UnknownDtype",
  "InvalidShape",
  "InvalidOffsets",
  "InvalidMetadata"
])

/** What part of the layout is wrong. */
export type LayoutFault = typeof LayoutFault.Type

const remedies: Record<LayoutFault, string> = {
  Truncated: "The file is incomplete: write or copy it again.",
  HeaderTooLarge: "Raise maxHeaderBytes if the file can be trusted.",
  HeaderSyntax: "The file is damaged, or it is not a safetensors file.",
  HeaderEncoding: "The file is damaged, or it is not a safetensors file.",
  DuplicateName: "Each name may occur once: write the file again with distinct names.",
  ForbiddenName: "Rename the tensor or key where the file is written.",
  MissingField: "Each tensor has dtype, shape and data_offsets: write the file again.",
  UnknownField: "Each tensor has dtype, shape and data_offsets, and nothing else.",
  UnknownDtype: "The file comes from a newer writer, or it is damaged.",
  InvalidShape: "The header is damaged: write or copy the file again.",
  InvalidOffsets: "Tensors fill the data without gaps and overlaps: write or copy the file again.",
  InvalidMetadata: "__metadata__ maps strings to strings: put other values into it as JSON text."
}

/**
 * Bytes that are not a valid safetensors file: what is wrong (`fault`), where (`offset`, in bytes from the start of the
 * file; `tensor`, where it belongs to one), what was expected there and what was found.
 */
export class InvalidSafetensors extends Schema.TaggedError<InvalidSafetensors>()("InvalidSafetensors", {
  fault: LayoutFault,
  offset: Schema.Natural,
  tensor: Schema.optionalKey(Schema.String),
  expected: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    return [
      "Safetensors.decode: these bytes are not a valid safetensors file",
      `  ${place(this.offset, this.tensor)}   expected ${this.expected}   found ${this.found}`,
      remedies[this.fault]
    ].join("\n")
  }
}

/** A tensor or a metadata entry that cannot be written. */
export class InvalidEntry extends Schema.TaggedError<InvalidEntry>()("InvalidEntry", {
  entry: Schema.String,
  expected: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    return [
      "Safetensors.encode: an entry that cannot be written",
      `  ${quoted(this.entry)}   expected ${this.expected}   found ${this.found}`,
      "Names are unique, well-formed and neither __metadata__ nor __proto__; bytes fit dtype and shape."
    ].join("\n")
  }
}

/** A tensor whose element type is known but cannot be had as asked. */
export class UnsupportedDtype extends Schema.TaggedError<UnsupportedDtype>()("UnsupportedDtype", {
  operation: Schema.String,
  tensor: Schema.String,
  dtype: Schema.String,
  supported: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return [
      `${this.operation}: an element type that this operation does not read`,
      `  ${quoted(this.tensor)}   expected ${this.supported.join(", ")}   found ${this.dtype}`,
      "F16, BF16 and F64 become float32 with Safetensors.toFloat32; convert other types where the file is written."
    ].join("\n")
  }
}

/** A BOOL tensor with a byte that is neither 0 nor 1. */
export class InvalidBool extends Schema.TaggedError<InvalidBool>()("InvalidBool", {
  tensor: Schema.String,
  index: Schema.Natural,
  value: Schema.Natural
}) {
  override get message(): string {
    return [
      "Safetensors.toHost: a BOOL tensor that holds something else",
      `  ${quoted(this.tensor)}, element ${this.index}   expected 0 or 1   found ${this.value}`,
      "The file is damaged: write or copy it again."
    ].join("\n")
  }
}
