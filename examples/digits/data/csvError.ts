/**
 * What can be wrong with a CSV file of labelled rows. Each error has one line to say, fit to be printed as it is.
 */
import * as Schema from "effect/Schema"

/** The file is not there, or cannot be read. */
export class UnreadableFile extends Schema.TaggedError<UnreadableFile>()("UnreadableFile", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `cannot read ${this.path}: ${this.reason}`
  }
}

/** The file ends before there is anything to learn from. */
export class EmptyFile extends Schema.TaggedError<EmptyFile>()("EmptyFile", {
  path: Schema.String,
  missing: Schema.String
}) {
  override get message(): string {
    return `${this.path} has no ${this.missing}`
  }
}

/** The text is not CSV, such as a quote that is never closed. */
export class MalformedCsv extends Schema.TaggedError<MalformedCsv>()("MalformedCsv", {
  path: Schema.String,
  line: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.path}, line ${this.line}: ${this.reason}`
  }
}

/** A column that was asked for is not in the header. */
export class UnknownColumn extends Schema.TaggedError<UnknownColumn>()("UnknownColumn", {
  path: Schema.String,
  column: Schema.String,
  columns: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${this.path} has no column "${this.column}"; its columns are ${this.columns.join(", ")}`
  }
}

/** Two columns bear one name. */
export class DuplicateColumn extends Schema.TaggedError<DuplicateColumn>()("DuplicateColumn", {
  path: Schema.String,
  column: Schema.String
}) {
  override get message(): string {
    return `${this.path} has more than one column "${this.column}"`
  }
}

/** A column is there that the training data does not have. */
export class UnexpectedColumn extends Schema.TaggedError<UnexpectedColumn>()("UnexpectedColumn", {
  path: Schema.String,
  column: Schema.String
}) {
  override get message(): string {
    return `${this.path} has a column "${this.column}" that the training data does not have`
  }
}

/** A row has more or fewer cells than the header. */
export class RaggedRow extends Schema.TaggedError<RaggedRow>()("RaggedRow", {
  path: Schema.String,
  line: Schema.Int,
  expected: Schema.Int,
  found: Schema.Int
}) {
  override get message(): string {
    return `${this.path}, line ${this.line}: expected ${this.expected} cells as in the header, found ${this.found}`
  }
}

/** A cell does not hold the number that belongs there. */
export class BadCell extends Schema.TaggedError<BadCell>()("BadCell", {
  path: Schema.String,
  line: Schema.Int,
  column: Schema.String,
  expected: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    const place = `${this.path}, line ${this.line}, column "${this.column}"`
    return `${place}: expected ${this.expected}, found ${JSON.stringify(this.found)}`
  }
}

/** Everything that reading a table can fail with. */
export type CsvError =
  | UnreadableFile
  | EmptyFile
  | MalformedCsv
  | UnknownColumn
  | DuplicateColumn
  | UnexpectedColumn
  | RaggedRow
  | BadCell
