// Plugin names and score weights of the default profile (pkg/scheduler/apis/config/v1/default_plugins.go).

export const PLUGIN_WEIGHTS: Readonly<Record<string, number>> = {
  TaintToleration: 3,
  NodeAffinity: 2,
  NodeResourcesFit: 1,
  PodTopologySpread: 2,
  InterPodAffinity: 2,
  NodeResourcesBalancedAllocation: 1,
  ImageLocality: 1,
}

export const MAX_NODE_SCORE = 100

export const LABEL_HOSTNAME = 'kubernetes.io/hostname'
export const LABEL_ZONE = 'topology.kubernetes.io/zone'
export const LABEL_REGION = 'topology.kubernetes.io/region'
export const LABEL_ZONE_BETA = 'failure-domain.beta.kubernetes.io/zone'
export const LABEL_REGION_BETA = 'failure-domain.beta.kubernetes.io/region'
