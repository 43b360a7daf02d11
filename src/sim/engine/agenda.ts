import type { Step } from './types.ts'

/** Pending steps in the order (at, seq). Removal is lazy: the heap may hold steps that are no longer live. */
export class Agenda {
  private heap: Step[] = []
  private live = new Map<number, Step>()

  /** Live steps that are not background work. */
  foreground = 0

  get size(): number {
    return this.live.size
  }

  get(seq: number): Step | undefined {
    return this.live.get(seq)
  }

  push(step: Step): void {
    if (!step.background && !this.live.has(step.seq)) this.foreground++
    this.live.set(step.seq, step)
    const heap = this.heap
    let i = heap.length
    heap.push(step)
    while (i > 0) {
      const parent = (i - 1) >> 1
      const p = heap[parent] as Step
      if (!before(step, p)) break
      heap[i] = p
      i = parent
    }
    heap[i] = step
  }

  remove(seq: number): void {
    const step = this.live.get(seq)
    if (!step) return
    this.live.delete(seq)
    if (!step.background) this.foreground--
    if (this.heap.length > 64 && this.heap.length > this.live.size * 2) this.rebuild()
  }

  peek(): Step | undefined {
    for (;;) {
      const top = this.heap[0]
      if (!top) return undefined
      if (this.live.get(top.seq) === top) return top
      this.popHeap()
    }
  }

  /** All pending steps, in order. */
  list(): Step[] {
    return [...this.live.values()].sort((a, b) => (before(a, b) ? -1 : 1))
  }

  replaceAll(steps: readonly Step[]): void {
    this.heap = []
    this.live = new Map()
    this.foreground = 0
    for (const step of steps) this.push(step)
  }

  private rebuild(): void {
    const steps = this.list()
    this.heap = steps // a sorted array is a heap
  }

  private popHeap(): void {
    const heap = this.heap
    const last = heap.pop() as Step
    const n = heap.length
    if (n === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= n) break
      if (child + 1 < n && before(heap[child + 1] as Step, heap[child] as Step)) child++
      if (!before(heap[child] as Step, last)) break
      heap[i] = heap[child] as Step
      i = child
    }
    heap[i] = last
  }
}

function before(a: Step, b: Step): boolean {
  return a.at < b.at || (a.at === b.at && a.seq < b.seq)
}
