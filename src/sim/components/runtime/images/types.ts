// Container images as behaviour: what their programs print, listen to and do with signals. Data, no code.

export interface LogLine {
  /** After the program's start, virtual ms. */
  readonly afterMs: number
  readonly stream?: 'stdout' | 'stderr'
  readonly text: string
}

export interface HttpRoute {
  /** Exact path, or a prefix that ends with `*`. */
  readonly path: string
  readonly status: number
  readonly body: string
  readonly contentType?: string
}

export interface Listener {
  readonly port: number
  readonly protocol: 'http' | 'https' | 'tcp' | 'grpc' | 'udp'
  /** Other paths are answered with 404. `echo` answers every path with the request. */
  readonly routes?: readonly HttpRoute[]
  readonly echo?: boolean
  /** Reads the port from this environment variable, or from an argument such as `--port=`, if given. */
  readonly portFrom?: { readonly env?: string; readonly argument?: string }
}

export interface Program {
  /** Commands that start it. */
  readonly commands: readonly string[]
  /** Until then it runs but does not listen. */
  readonly readyAfterMs: number
  readonly lines: readonly LogLine[]
  readonly listens: readonly Listener[]
  /** 'ignore': runs on until it is killed. */
  readonly onTerm: { readonly afterMs: number; readonly code: number } | 'ignore'
  /** Ends by itself. */
  readonly ends?: { readonly afterMs: number; readonly code: number }
  /** Refuses to start unless one of these variables is set. */
  readonly requires?: { readonly anyOf: readonly string[]; readonly code: number; readonly stderr: string }
  /** With one of these words as first argument it prints and ends. */
  readonly prints?: readonly { readonly arguments: readonly string[]; readonly stdout: string }[]
  /** The program is a process of the simulation: containerd starts and stops it. */
  readonly process?: { readonly type: string; readonly idPrefix: string; readonly idFrom: 'node' | 'pod' }
  /** Steady use of a running program. */
  readonly cpuMillicores?: number
  readonly memoryBytes?: number
}

export interface Image {
  /** `docker.io/library/nginx`, without tag. */
  readonly repository: string
  readonly sizeBytes: number
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly env: readonly (readonly [string, string])[]
  readonly workingDir: string
  readonly user: string
  readonly stopSignal?: string
  /** A shell and the usual tools are in it. */
  readonly hasTools: boolean
  readonly programs: readonly string[]
  readonly files: readonly (readonly [string, string])[]
  /** Any command is taken for a program that runs silently (images that the model does not know). */
  readonly anything?: true
}
