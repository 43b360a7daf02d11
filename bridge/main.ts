// Serves a simulated cluster to kubectl, helm and any other Kubernetes client.
import { writeKubeconfig } from './kubeconfig.ts'
import { type BridgeOptions, readFlags, USAGE } from './options.ts'
import { startBridge } from './server.ts'

function flags(): BridgeOptions {
  try {
    return readFlags(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}

const options = flags()
const bridge = await startBridge(options)
if (options.kubeconfig !== undefined) writeKubeconfig(options.kubeconfig, bridge.url, bridge.certificate.cert)
console.log(`listening on ${bridge.url}`)
const stop = (): void => {
  void bridge.close().then(() => process.exit(0))
  // Whoever still waits for an answer is not waited for.
  setTimeout(() => process.exit(0), 500).unref()
}
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
