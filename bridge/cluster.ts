// Builds the simulation that is served.
import { createApiCluster } from '../src/sim/cluster/door.ts'
import { kubeControllerManagerType } from '../src/sim/components/controller-manager/manager.ts'
import type { Simulation } from '../src/sim/cluster/simulation.ts'
import type { ClusterChoice } from './options.ts'

export class NotBuilt extends Error {}

export function buildCluster(choice: ClusterChoice): Simulation {
  if (choice.profile !== 'api') throw new NotBuilt(`profile ${choice.profile} is not built yet`)
  return createApiCluster({
    profile: 'api',
    seed: choice.seed,
    types: [kubeControllerManagerType],
    processes: [
      {
        id: 'kube-controller-manager/control-plane',
        type: 'kube-controller-manager',
        host: 'control-plane',
        config: { servers: ['kube-apiserver/control-plane'], profile: 'api', leaderElect: false, rootCA: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n' },
      },
    ],
  })
}
