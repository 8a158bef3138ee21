/**
 * The embedded data set: drawn digits, 8×8 pixels of 0 to 16, made anew from a seed.
 *
 * Each image is a glyph drawn by an unsteady hand: its corners wander, it is turned, slanted, stretched and shifted,
 * the pen is thin or thick, the paper is grainy. The classes overlap in every single pixel, so that the mean image of
 * a class is a poor guide to it, while a small network tells them apart.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { digits, type Point, type Stroke } from "./glyphs.ts"
import type { Table } from "./table.ts"

/** Images are this many pixels wide and high. */
const side = 8

/** The darkest pixel. */
const ink = 16

/** How much a hand varies: each is the largest deviation either way. */
const hand = {
  wander: 0.03,
  turn: 0.3,
  slant: 0.3,
  stretch: 0.2,
  shift: 0.13,
  thickness: 0.04,
  grain: 3
}

/** What is generated. */
export interface DatasetOptions {
  readonly seed: number
  /** Rows to train on. Default 3000. */
  readonly train?: number | undefined
  /** Rows to test on. Default 1000. */
  readonly test?: number | undefined
}

/** Rows to train on and rows to test on, drawn by the same hand. */
export interface Dataset {
  readonly train: Table
  readonly test: Table
}

/** The embedded data set: one seed, one data set. */
export const generate = ({ seed, test = 1000, train = 3000 }: DatasetOptions): Effect.Effect<Dataset> =>
  drawing.pipe(
    Effect.map((draw) => ({ train: toTable(train, draw), test: toTable(test, draw) })),
    Random.withSeed(`digits ${seed}`)
  )

/** A number between `-deviation` and `deviation`. */
type Vary = (deviation: number) => number

// a data set takes half a million random numbers: they are drawn from the service itself, not as effects
const drawing = Effect.map(Random.Random, (random) => {
  const vary: Vary = (deviation) => (2 * random.nextDoubleUnsafe() - 1) * deviation
  return (digit: number): ReadonlyArray<number> => drawDigit(digit, vary)
})

const toTable = (rows: number, draw: (digit: number) => ReadonlyArray<number>): Table => {
  const width = side * side
  const features = new Float32Array(rows * width)
  const labels = Int32Array.from({ length: rows }, (_, row) => row % digits.length)
  for (const [row, label] of labels.entries()) features.set(draw(label), row * width)
  const columns = Array.from({ length: width }, (_, index) => `p${index}`)
  return { features, labels, rows, columns, classes: [...digits.keys()] }
}

const drawDigit = (digit: number, vary: Vary): ReadonlyArray<number> => {
  const move = movement(vary)
  const strokes = (digits[digit] ?? []).map((stroke) => stroke.map(move))
  const thickness = 0.09 + vary(hand.thickness)
  return Array.from({ length: side * side }, (_, index) => {
    const centre = { x: ((index % side) + 0.5) / side, y: (Math.floor(index / side) + 0.5) / side }
    const edge = thickness - Math.min(...strokes.map((stroke) => distance(centre, stroke)))
    const dark = clamp(0.5 + edge * side, 0, 1) * ink
    return Math.round(clamp(dark + vary(hand.grain), 0, ink))
  })
}

/** One hand's way of placing every point of a glyph. */
const movement = (vary: Vary) => {
  const turn = vary(hand.turn)
  const slant = vary(hand.slant)
  const width = 0.95 + vary(hand.stretch)
  const height = 0.95 + vary(hand.stretch)
  const [right, down] = [vary(hand.shift), vary(hand.shift)]
  return (point: Point): Point => {
    const y = (point.y - 0.5 + vary(hand.wander)) * height
    const x = (point.x - 0.5 + vary(hand.wander)) * width - slant * y
    return {
      x: 0.5 + right + x * Math.cos(turn) - y * Math.sin(turn),
      y: 0.5 + down + x * Math.sin(turn) + y * Math.cos(turn)
    }
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)

const distance = (point: Point, stroke: Stroke): number =>
  Math.min(...stroke.slice(1).map((end, index) => distanceToSegment(point, stroke[index] ?? end, end)))

const distanceToSegment = (point: Point, start: Point, end: Point): number => {
  const [dx, dy] = [end.x - start.x, end.y - start.y]
  const length = dx * dx + dy * dy
  const along = ((point.x - start.x) * dx + (point.y - start.y) * dy) / (length === 0 ? 1 : length)
  const share = clamp(along, 0, 1)
  return Math.hypot(point.x - start.x - share * dx, point.y - start.y - share * dy)
}
