/**
 * Graves' recursion on the host, and its derivative.
 *
 * Each frame asks for a few operations on as many numbers as there are labels. As ops of tfjs that would be thousands of
 * tiny ones, at a hundred times the time of these plain loops. Computed in float64. log ε stands for log 0: it is added
 * where a transition is not allowed, so that everything stays finite.
 */

/** One sequence: what is read, and what it should give. */
export interface Sequence {
  /** log probabilities [frames, classes], row by row. */
  readonly logP: Float32Array
  readonly classes: number
  readonly blankId: number
  readonly logEpsilon: number
  /** Which frames only pad. */
  readonly isPadding: ReadonlyArray<boolean>
  /** All labels, with those that pad. */
  readonly labels: ReadonlyArray<number>
  /** How many labels do not pad. */
  readonly length: number
}

/** A number for each state: n labels read and then a blank [labels + 1], or the n-th label just read [labels]. */
export interface States {
  readonly blank: Float64Array
  readonly label: Float64Array
}

const at = (x: Float64Array | Float32Array, index: number): number => x[index] ?? Number.NaN

const add = (x: Float64Array | Float32Array, index: number, amount: number): void => {
  x[index] = at(x, index) + amount
}

const logAddExp = (a: number, b: number): number => {
  const larger = Math.max(a, b)
  return larger === Number.NEGATIVE_INFINITY ? larger : larger + Math.log1p(Math.exp(-Math.abs(a - b)))
}

/** The derivative of log(e^a + e^b) with respect to a. */
const share = (a: number, b: number): number => (a === Number.NEGATIVE_INFINITY ? 0 : 1 / (1 + Math.exp(b - a)))

const states = (length: number): States => ({ blank: new Float64Array(length + 1), label: new Float64Array(length) })

const start = ({ labels, logEpsilon }: Sequence): States => {
  const { blank, label } = states(labels.length)
  return { blank: blank.fill(logEpsilon, 1), label: label.fill(logEpsilon) }
}

/** log ε where the next label is the same, and a blank has to come between. */
const obstacles = ({ labels, logEpsilon }: Sequence): Float64Array =>
  Float64Array.from(labels, (label, n) => (label === labels[n + 1] ? logEpsilon : 0))

/** The class of a label, unless it is none, as a label that pads may be. */
const classOf = ({ classes, labels }: Sequence, n: number): number | undefined => {
  const label = labels[n] ?? -1
  return label >= 0 && label < classes ? label : undefined
}

/** Blanks with what can go on as if after a blank: a label whose next one is another. */
const ready = ({ blank, label }: States, obstacle: Float64Array): Float64Array =>
  blank.map((alpha, n) => (n === 0 ? alpha : logAddExp(alpha, at(label, n - 1) + at(obstacle, n - 1))))

/** log α after a frame. */
const next = (sequence: Sequence, frame: number, alphas: States, obstacle: Float64Array): States => {
  const { blankId, classes, logEpsilon, logP } = sequence
  const row = frame * classes
  const logBlank = at(logP, row + blankId)
  const before = ready(alphas, obstacle)
  const label = alphas.label.map((alpha, n) => {
    const id = classOf(sequence, n)
    return logAddExp(at(before, n), alpha) + (id === undefined ? 0 : at(logP, row + id))
  })
  // A blank between labels that need none is counted with the first term.
  const blank = before.map((alpha, n) =>
    n === 0 ? alpha + logBlank : logAddExp(alpha, at(alphas.label, n - 1) + logEpsilon - at(obstacle, n - 1)) + logBlank
  )
  return { blank, label }
}

/** log α before the first frame and after each. */
export const forward = (sequence: Sequence): ReadonlyArray<States> => {
  const obstacle = obstacles(sequence)
  let alphas = start(sequence)
  const all = [alphas]
  sequence.isPadding.forEach((isPadding, frame) => {
    if (!isPadding) alphas = next(sequence, frame, alphas, obstacle)
    all.push(alphas)
  })
  return all
}

/** log of the probability to have read n labels at the end, with a blank or without. */
export const ended = ({ blank, label }: States): Float64Array =>
  blank.map((alpha, n) => (n === 0 ? alpha : logAddExp(alpha, at(label, n - 1))))

/** Hands the derivative of log(e^blank + e^label) on to both, for each n ≥ 1; n = 0 is the blank's alone. */
const handOn = (derivative: Float64Array, blank: Float64Array, label: (n: number) => number, into: States): void => {
  add(into.blank, 0, at(derivative, 0))
  for (let n = 1; n < derivative.length; n++) {
    const [a, b] = [at(blank, n), label(n - 1)]
    add(into.blank, n, at(derivative, n) * share(a, b))
    add(into.label, n - 1, at(derivative, n) * share(b, a))
  }
}

/** The derivative with respect to log α before a frame, from that after it; adds what the frame's log P gets. */
const previous = (
  sequence: Sequence,
  frame: number,
  alphas: States,
  after: States,
  obstacle: Float64Array,
  gradient: Float32Array
): States => {
  const { blankId, classes, labels, logEpsilon } = sequence
  const row = frame * classes
  const before = ready(alphas, obstacle)
  const between = states(labels.length)
  handOn(after.blank, before, (n) => at(alphas.label, n) + logEpsilon - at(obstacle, n), between)
  after.blank.forEach((amount) => add(gradient, row + blankId, amount))
  after.label.forEach((amount, n) => {
    const [a, b] = [at(before, n), at(alphas.label, n)]
    add(between.blank, n, amount * share(a, b))
    add(between.label, n, amount * share(b, a))
    const id = classOf(sequence, n)
    if (id !== undefined) add(gradient, row + id, amount)
  })
  const into = { blank: new Float64Array(between.blank.length), label: between.label }
  handOn(between.blank, alphas.blank, (n) => at(alphas.label, n) + at(obstacle, n), into)
  return into
}

/** The derivative of the loss −log P(labels) with respect to log P [frames, classes]. */
export const backward = (sequence: Sequence, alphas: ReadonlyArray<States>): Float32Array => {
  const gradient = new Float32Array(sequence.logP.length)
  const obstacle = obstacles(sequence)
  let derivative = states(sequence.labels.length)
  const last = alphas.at(-1) ?? derivative
  const ofEnd = new Float64Array(last.blank.length)
  ofEnd[sequence.length] = -1
  handOn(ofEnd, last.blank, (n) => at(last.label, n), derivative)
  for (let frame = sequence.isPadding.length - 1; frame >= 0; frame--) {
    const before = alphas[frame]
    if (before === undefined || sequence.isPadding[frame] === true) continue
    derivative = previous(sequence, frame, before, derivative, obstacle, gradient)
  }
  return gradient
}
