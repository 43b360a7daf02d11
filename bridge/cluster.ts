// Builds the simulation that is served.
import { createCluster } from '../src/sim/cluster/cluster.ts'
import type { Simulation } from '../src/sim/cluster/simulation.ts'
import { CLASSROOM } from '../src/sim/cluster/spec.ts'
import type { ClusterChoice } from './options.ts'

/** Steps behind which a moment is reached from a keyframe: the bridge goes back only to the beginning. */
const JOURNAL_LIMIT = 2000
const KEYFRAME_INTERVAL = 1_000_000

export function buildCluster(choice: ClusterChoice): Simulation {
  const { profile, seed, nodes, proxyMode } = choice
  return createCluster({
    profile,
    seed,
    door: true,
    spec: { ...CLASSROOM, workers: Math.max(1, nodes), proxyMode },
    journalLimit: JOURNAL_LIMIT,
    keyframeInterval: KEYFRAME_INTERVAL,
  }).sim
}
