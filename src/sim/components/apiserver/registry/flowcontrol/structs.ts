// The internal structs of priority and fairness, as messages print them (pkg/apis/flowcontrol/types.go).
import { goBool, goInt, goJson, goSlice, goString, goStruct, goValueStruct } from '../core/gostruct.ts'

const strings = goSlice(goJson)
const named = goStruct(['Name', 'name', goString])
export const goDistinguisher = goStruct(['Type', 'type', goString])

export const goFlowSchemaSpec = goValueStruct(
  ['PriorityLevelConfiguration', 'priorityLevelConfiguration', goValueStruct(['Name', 'name', goString])],
  ['MatchingPrecedence', 'matchingPrecedence', goInt],
  ['DistinguisherMethod', 'distinguisherMethod', goDistinguisher],
  [
    'Rules',
    'rules',
    goSlice(
      goStruct(
        [
          'Subjects',
          'subjects',
          goSlice(
            goStruct(
              ['Kind', 'kind', goString],
              ['User', 'user', named],
              ['Group', 'group', named],
              ['ServiceAccount', 'serviceAccount', goStruct(['Namespace', 'namespace', goString], ['Name', 'name', goString])],
            ),
          ),
        ],
        [
          'ResourceRules',
          'resourceRules',
          goSlice(
            goStruct(
              ['Verbs', 'verbs', strings],
              ['APIGroups', 'apiGroups', strings],
              ['Resources', 'resources', strings],
              ['ClusterScope', 'clusterScope', goBool],
              ['Namespaces', 'namespaces', strings],
            ),
          ),
        ],
        [
          'NonResourceRules',
          'nonResourceRules',
          goSlice(goStruct(['Verbs', 'verbs', strings], ['NonResourceURLs', 'nonResourceURLs', strings])),
        ],
      ),
    ),
  ],
)

export const goPriorityLevelSpec = goValueStruct(
  ['Type', 'type', goString],
  [
    'Limited',
    'limited',
    goStruct(
      ['NominalConcurrencyShares', 'nominalConcurrencyShares', goInt],
      [
        'LimitResponse',
        'limitResponse',
        goValueStruct(
          ['Type', 'type', goString],
          [
            'Queuing',
            'queuing',
            goStruct(['Queues', 'queues', goInt], ['HandSize', 'handSize', goInt], ['QueueLengthLimit', 'queueLengthLimit', goInt]),
          ],
        ),
      ],
      ['LendablePercent', 'lendablePercent'],
      ['BorrowingLimitPercent', 'borrowingLimitPercent'],
    ),
  ],
  ['Exempt', 'exempt', goStruct(['NominalConcurrencyShares', 'nominalConcurrencyShares'], ['LendablePercent', 'lendablePercent'])],
)
