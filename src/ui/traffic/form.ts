// What the request form holds: outside the component, because a Service's inspector fills it in, too.
import { createStore } from 'zustand/vanilla'

export const OUTSIDE = 'outside'

export interface TrafficForm {
  /** `outside`, or the element id of a pod. */
  readonly from: string
  readonly url: string
}

export const trafficForm = createStore<TrafficForm>(() => ({ from: OUTSIDE, url: '' }))
