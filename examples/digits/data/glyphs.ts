/**
 * Glyphs: the ten digits as pen strokes in the unit square, x to the right and y downwards.
 *
 * Strokes, and not bitmaps, because strokes can be turned, slanted and thickened before they become pixels.
 */

export interface Point {
  readonly x: number
  readonly y: number
}

/** A line that the pen draws without being lifted. */
export type Stroke = ReadonlyArray<Point>

const line = (...coordinates: ReadonlyArray<readonly [x: number, y: number]>): Stroke =>
  coordinates.map(([x, y]) => ({ x, y }))

/** An arc of an ellipse, clockwise from one angle to another, in turns; 0 is on the right. */
const arc = (x: number, y: number, radiusX: number, radiusY: number, from = 0, to = 1): Stroke =>
  Array.from({ length: 13 }, (_, index) => {
    const angle = 2 * Math.PI * (from + ((to - from) * index) / 12)
    return { x: x + radiusX * Math.cos(angle), y: y + radiusY * Math.sin(angle) }
  })

/** The strokes of the digits 0 to 9. */
export const digits: ReadonlyArray<ReadonlyArray<Stroke>> = [
  [arc(0.5, 0.5, 0.29, 0.42)],
  [line([0.32, 0.25], [0.55, 0.08], [0.55, 0.92])],
  [[...arc(0.49, 0.31, 0.27, 0.23, 0.52, 1.1), ...line([0.22, 0.9], [0.8, 0.9])]],
  [arc(0.45, 0.29, 0.27, 0.21, 0.58, 1.25), arc(0.45, 0.71, 0.3, 0.21, 0.75, 1.42)],
  [line([0.64, 0.92], [0.64, 0.08], [0.2, 0.66], [0.86, 0.66])],
  [[...line([0.76, 0.1], [0.32, 0.1], [0.28, 0.44]), ...arc(0.48, 0.65, 0.28, 0.26, 0.66, 1.4)]],
  [line([0.66, 0.08], [0.4, 0.3], [0.26, 0.62]), arc(0.5, 0.68, 0.25, 0.23)],
  [line([0.2, 0.1], [0.8, 0.1], [0.42, 0.92])],
  [arc(0.5, 0.29, 0.22, 0.2), arc(0.5, 0.7, 0.28, 0.22)],
  [arc(0.5, 0.32, 0.25, 0.23), line([0.75, 0.32], [0.72, 0.62], [0.56, 0.92])]
]
