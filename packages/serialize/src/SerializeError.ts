/**
 * What can go wrong when tensors are written and read back, as values.
 *
 * Files are untrusted: whatever is wrong with one is `InvalidSafetensors` (the layout) or `InvalidCheckpoint` (what optim
 * put into it), with the byte or the key where it was seen. A sound file that belongs to something else is
 * `CheckpointMismatch`, which lists every difference at once.
 */
import * as Schema from "effect/Schema"
import { fileName, place, quoted, table } from "./internal/show.ts"

/** What part of the layout is wrong. */
export const LayoutFault = Schema.Literals([
  "Truncated",
  "HeaderLength",
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
  HeaderLength: "This is not a safetensors file, or its first bytes are damaged: look whether it is the right file.",
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
 * file; `tensor`, where it belongs to one), what was expected there and what was found. `file` is its path, where it was
 * read from one.
 */
export class InvalidSafetensors extends Schema.TaggedError<InvalidSafetensors>()("InvalidSafetensors", {
  fault: LayoutFault,
  offset: Schema.Natural,
  tensor: Schema.optionalKey(Schema.String),
  expected: Schema.String,
  found: Schema.String,
  file: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const these = this.file === undefined ? "these bytes are" : `${fileName(this.file)} is`
    return [
      `Safetensors.decode: ${these} not a valid safetensors file`,
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

const Fault = Schema.Struct({ path: Schema.String, expected: Schema.String, found: Schema.String })

/**
 * Bytes or text that are no checkpoint of this library, or one that is damaged. Each fault has the place in the manifest
 * (`optimizer.hyperParameters.b1`) or the name of the tensor. `file` is the path, where it was read from a file.
 */
export class InvalidCheckpoint extends Schema.TaggedError<InvalidCheckpoint>()("InvalidCheckpoint", {
  operation: Schema.String,
  faults: Schema.Array(Fault),
  file: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return [
      `${this.operation}: ${this.file === undefined ? "this" : fileName(this.file)} is not a sound checkpoint`,
      ...table(this.faults),
      "Read what the same function of this library wrote; if it did, the copy is damaged or comes from a newer version."
    ].join("\n")
  }
}

/** A state or a tree of parameters that cannot be written. */
export class UnencodableCheckpoint extends Schema.TaggedError<UnencodableCheckpoint>()("UnencodableCheckpoint", {
  operation: Schema.String,
  faults: Schema.Array(Fault)
}) {
  override get message(): string {
    return [
      `${this.operation}: this cannot be written`,
      ...table(this.faults),
      "Leaves are float32, int32 or bool tensors, nodes have a codec, and hyper-parameters are numbers, flags, texts or step sizes."
    ].join("\n")
  }
}

/** Of the differences of a checkpoint the first tell what is wrong; so many are shown. */
const mostDifferences = 12

const mismatchRemedy = (operation: string): string => {
  if (operation.startsWith("Params.")) {
    return "Give `like` the structure, shapes and dtypes that were saved; { convertFloats: true } takes F16, BF16 and F64."
  }
  return operation.startsWith("CheckpointManager.")
    ? "Make the items as they were made for the run that wrote it, or restore a part: `items`, `only`, `missing`, `unexpected`."
    : "Make the optimizer and the parameters as they were made for the run that wrote it."
}

/**
 * A sound checkpoint that belongs to another optimizer or other parameters. `faults` lists every difference, another
 * optimizer first, of which the message shows the first twelve: `expected` is what the optimizer and the parameters call
 * for, `found` is what the checkpoint holds. `file` is the path, where it was read from a file.
 */
export class CheckpointMismatch extends Schema.TaggedError<CheckpointMismatch>()("CheckpointMismatch", {
  operation: Schema.String,
  faults: Schema.Array(Fault),
  file: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return [
      `${this.operation}: the checkpoint${this.file === undefined ? "" : ` in ${fileName(this.file)}`} does not fit`,
      ...table(this.faults, mostDifferences),
      mismatchRemedy(this.operation)
    ].join("\n")
  }
}

/** Why a store did not do what it was asked for. */
export const StoreReason = Schema.Literals([
  "InvalidName",
  "Escapes",
  "NotFound",
  "AlreadyExists",
  "NoSpace",
  "Denied",
  "Busy",
  "TimedOut",
  "Truncated",
  "Unsupported",
  "Unknown"
])

/** Why a store did not do what it was asked for. */
export type StoreReason = typeof StoreReason.Type

const storeRemedies: Record<StoreReason, string> = {
  InvalidName: "Names are letters, digits, '.', '_' and '-' in parts between '/'; no part begins with '.'.",
  Escapes: "A symbolic link leads out of the store: replace it by what it points to.",
  NotFound: "It was removed, or its directory is gone: restore another checkpoint, or look at the disk.",
  AlreadyExists: "Somebody else wrote it first.",
  NoSpace: "Free some space, or keep fewer checkpoints. Earlier checkpoints are intact.",
  Denied: "Give this process the right to write there, or use another place. Earlier checkpoints are intact.",
  Busy: "Another process uses it: try again.",
  TimedOut: "The store is slow: try again, or retry with a longer schedule.",
  Truncated: "It is shorter than it was when it was written: restore another checkpoint.",
  Unsupported: "Use another store here: CheckpointStore.layerBrowser picks one that works.",
  Unknown: "Look at the cause; earlier checkpoints are intact."
}

const transient: ReadonlySet<StoreReason> = new Set(["Busy", "TimedOut", "Unknown"])

/** A store that did not do what it was asked for: the operation, the name of the object, and why. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  operation: Schema.String,
  name: Schema.String,
  reason: StoreReason,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  /** May the same operation succeed if it is tried again? */
  get isTransient(): boolean {
    return transient.has(this.reason)
  }

  override get message(): string {
    return [
      `CheckpointStore.${this.operation}: ${this.reason}`,
      `  ${quoted(this.name)}   ${this.detail}`,
      storeRemedies[this.reason]
    ].join("\n")
  }
}

/** A store that another manager works on. Exactly one may write; anybody may read. */
export class StoreInUse extends Schema.TaggedError<StoreInUse>()("StoreInUse", {
  location: Schema.String,
  holder: Schema.String
}) {
  override get message(): string {
    return [
      "CheckpointManager.make: another manager works on this store",
      `  ${this.location}   held by ${quoted(this.holder)}`,
      "Close it, use a directory of your own, or open this one with { readOnly: true }."
    ].join("\n")
  }
}

/** A manager that no longer holds its store: it stood still for too long, and another one took over. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  location: Schema.String,
  holder: Schema.String
}) {
  override get message(): string {
    return [
      "CheckpointManager: this manager no longer holds its store, and writes nothing more",
      `  ${this.location}   held by ${this.holder === "" ? "nobody: its lease is gone" : quoted(this.holder)}`,
      "Only one process may write. Make a new manager; a longer lease survives longer pauses."
    ].join("\n")
  }
}

const Damaged = Schema.Struct({ step: Schema.Natural, id: Schema.String, detail: Schema.String })

const damagedLines = (damaged: ReadonlyArray<typeof Damaged.Type>): ReadonlyArray<string> =>
  damaged.map(({ detail, id }) => `  ${id}   ${detail}`)

/** A checkpoint whose bytes are not those that were written: which object, which tensor, what is wrong. */
export class CheckpointDamaged extends Schema.TaggedError<CheckpointDamaged>()("CheckpointDamaged", {
  step: Schema.Natural,
  id: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return [
      `CheckpointManager: the checkpoint of step ${this.step} is damaged`,
      ...damagedLines([this]),
      "Restore another one: restore() takes the newest that is sound."
    ].join("\n")
  }
}

/** No checkpoint to restore; `damaged` are those that were passed over. */
export class NoCheckpoint extends Schema.TaggedError<NoCheckpoint>()("NoCheckpoint", {
  location: Schema.String,
  wanted: Schema.String,
  steps: Schema.Array(Schema.Natural),
  damaged: Schema.Array(Damaged)
}) {
  override get message(): string {
    const there = this.steps.length === 0 ? "there is none" : `there are those of step ${this.steps.join(", ")}`
    return [
      `CheckpointManager.restore: no checkpoint to restore in ${this.location}`,
      `  wanted ${this.wanted}   ${there}`,
      ...damagedLines(this.damaged),
      this.damaged.length === 0 ? "Begin anew, or look whether the place is right." : "The listed ones are damaged."
    ].join("\n")
  }
}

/** A save in the background that failed; the run went on, and earlier checkpoints are intact. */
export class SaveFailed extends Schema.TaggedError<SaveFailed>()("SaveFailed", {
  step: Schema.Natural,
  reason: Schema.Union([StoreError, LeaseLost, CheckpointDamaged])
}) {
  override get message(): string {
    return `CheckpointManager: the checkpoint of step ${this.step} was not saved\n${this.reason.message}`
  }
}
