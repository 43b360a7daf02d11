// The container runtime interface: what a kubelet may ask of a runtime, and what it is told (k8s.io/cri-api runtime/v1, reduced to what the model uses).
// Every method is a call of kind `cri.<Method>` answered with a CriReply.

export interface CriError {
  readonly code: 'NotFound' | 'Unknown' | 'DeadlineExceeded' | 'Unavailable'
  readonly message: string
}

export type CriReply<T = unknown> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: CriError }

export interface SandboxConfig {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly attempt: number
  readonly hostname: string
  readonly hostNetwork: boolean
  readonly dns: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] }
  readonly labels: readonly (readonly [string, string])[]
  readonly ports: readonly { readonly hostPort: number; readonly containerPort: number; readonly protocol: string }[]
}

export interface CriMount {
  readonly containerPath: string
  /** Host path, `/var/lib/kubelet/pods/…`. */
  readonly hostPath: string
  readonly readOnly: boolean
}

export interface ContainerConfig {
  readonly name: string
  readonly attempt: number
  readonly image: string
  readonly imageRef: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDir: string
  readonly env: readonly (readonly [string, string])[]
  readonly mounts: readonly CriMount[]
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly supplementalGroups: readonly number[]
  readonly readOnlyRootFilesystem: boolean
  readonly terminationMessagePath: string
  readonly terminationMessagePolicy: 'File' | 'FallbackToLogsOnError'
  /** pod.spec's hash of this container, to notice that its definition changed. */
  readonly hash: string
  readonly stopSignal?: string
  readonly stdin: boolean
  readonly tty: boolean
  readonly memoryLimitBytes?: number
  readonly cpuLimitMillicores?: number
}

export interface SandboxStatus {
  readonly id: string
  readonly attempt: number
  readonly state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY'
  readonly createdAt: number
  readonly ip: string
  readonly hostNetwork: boolean
}

export interface RuntimeContainerStatus {
  readonly id: string
  readonly sandboxId: string
  readonly name: string
  readonly attempt: number
  readonly image: string
  readonly imageRef: string
  readonly imageId: string
  readonly hash: string
  readonly state: 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN'
  readonly createdAt: number
  readonly startedAt: number
  readonly finishedAt: number
  readonly exitCode: number
  readonly reason: string
  readonly message: string
  readonly user: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] }
}

/** Everything of one pod, newest sandbox and newest containers first. */
export interface RuntimePodStatus {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly sandboxes: readonly SandboxStatus[]
  readonly containers: readonly RuntimeContainerStatus[]
}

export interface ExecResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

export interface ImageStatus {
  readonly id: string
  readonly repoTags: readonly string[]
  readonly repoDigests: readonly string[]
  readonly sizeBytes: number
  readonly user: string
}

export interface LogOptions {
  readonly timestamps: boolean
  readonly tailLines?: number
  readonly limitBytes?: number
  /** Virtual ms; only lines written at or after it. */
  readonly since?: number
  readonly stream?: 'All' | 'Stdout' | 'Stderr'
}

/** Methods with request and answer. */
export interface CriMethods {
  Status: {
    request: Record<string, never>
    answer: { runtimeReady: boolean; networkReady: boolean; networkMessage: string /** When the machine was started. */; bootedAt: number }
  }
  UpdateRuntimeConfig: { request: { podCIDR: string }; answer: Record<string, never> }
  RunPodSandbox: { request: SandboxConfig; answer: { id: string; ip: string } }
  StopPodSandbox: { request: { id: string }; answer: Record<string, never> }
  RemovePodSandbox: { request: { id: string }; answer: Record<string, never> }
  CreateContainer: { request: { sandboxId: string; config: ContainerConfig }; answer: { id: string } }
  StartContainer: { request: { id: string }; answer: Record<string, never> }
  StopContainer: { request: { id: string; timeoutSeconds: number }; answer: Record<string, never> }
  RemoveContainer: { request: { id: string }; answer: Record<string, never> }
  PodStatus: { request: { uids?: readonly string[] }; answer: { pods: readonly RuntimePodStatus[] } }
  ExecSync: { request: { id: string; command: readonly string[]; timeoutSeconds: number; stdin?: string }; answer: ExecResult }
  PullImage: { request: { image: string }; answer: { imageRef: string; sizeBytes: number } }
  ImageStatus: { request: { image: string }; answer: { image?: ImageStatus } }
  ListImages: { request: Record<string, never>; answer: { images: readonly ImageStatus[] } }
  RemoveImage: { request: { image: string }; answer: Record<string, never> }
}

export type CriMethod = keyof CriMethods

/** A directory or file that the kubelet puts on the node's disk for containers to mount. */
export interface HostFile {
  readonly path: string
  readonly content?: string
  readonly mode: number
  readonly link?: string
  readonly gid?: number
}

/** A connection to a pod's address, as its node's network stack sees it (kind `pod.connect`). */
export interface PodConnect {
  readonly ip: string
  readonly port: number
  readonly protocol: 'tcp' | 'http' | 'https' | 'grpc'
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly body?: string
}

export type PodConnectReply =
  | { readonly connected: false; readonly error: 'connection refused' | 'no route to host' | 'i/o timeout' }
  /** `plain`: the server speaks plain HTTP although TLS was asked for. `by`: whose container accepted. */
  | {
      readonly connected: true
      readonly by?: { readonly namespace: string; readonly pod: string; readonly container: string }
      readonly plain?: true
      readonly http?: { readonly status: number; readonly body: string; readonly contentType: string }
    }
