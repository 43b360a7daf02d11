// Manifests to start from. Each is applied by a test.

export interface Example {
  readonly id: string
  readonly title: string
  readonly about: string
  readonly yaml: string
}

export const EXAMPLES: readonly Example[] = [
  {
    id: 'nginx',
    title: 'nginx Deployment and Service',
    about: 'Three web servers and one stable address for them.',
    yaml: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: nginx
          image: nginx:1.27
          ports:
            - containerPort: 80
          resources:
            requests:
              cpu: 250m
              memory: 64Mi
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
`,
  },
  {
    id: 'guestbook',
    title: 'Guestbook: a frontend and its store',
    about: 'Two tiers that find each other through DNS.',
    yaml: `apiVersion: v1
kind: ConfigMap
metadata:
  name: guestbook
data:
  TITLE: Sign here, please
  STORE: redis://store:6379
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: store
spec:
  replicas: 1
  selector:
    matchLabels:
      app: guestbook
      tier: store
  template:
    metadata:
      labels:
        app: guestbook
        tier: store
    spec:
      containers:
        - name: redis
          image: redis:7.4
          ports:
            - containerPort: 6379
          readinessProbe:
            tcpSocket:
              port: 6379
            periodSeconds: 5
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
---
apiVersion: v1
kind: Service
metadata:
  name: store
spec:
  selector:
    app: guestbook
    tier: store
  ports:
    - port: 6379
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: frontend
spec:
  replicas: 2
  selector:
    matchLabels:
      app: guestbook
      tier: frontend
  template:
    metadata:
      labels:
        app: guestbook
        tier: frontend
    spec:
      containers:
        - name: web
          image: httpd:2.4
          envFrom:
            - configMapRef:
                name: guestbook
          ports:
            - name: http
              containerPort: 80
          readinessProbe:
            httpGet:
              path: /
              port: http
            periodSeconds: 5
          resources:
            requests:
              cpu: 200m
              memory: 64Mi
---
apiVersion: v1
kind: Service
metadata:
  name: frontend
spec:
  type: NodePort
  selector:
    app: guestbook
    tier: frontend
  ports:
    - port: 80
      targetPort: http
      nodePort: 30080
`,
  },
  {
    id: 'crash-loop',
    title: 'A pod that keeps crashing',
    about: 'Its process ends after five seconds; watch the back-off grow.',
    yaml: `apiVersion: v1
kind: Pod
metadata:
  name: unlucky
spec:
  containers:
    - name: main
      image: busybox:1.37
      command: ["sh", "-c", "echo starting; sleep 5; exit 1"]
`,
  },
  {
    id: 'unschedulable',
    title: 'A pod that fits nowhere',
    about: 'It asks for more CPU than any node has. Ask it why.',
    yaml: `apiVersion: v1
kind: Pod
metadata:
  name: huge
spec:
  containers:
    - name: main
      image: nginx:1.27
      resources:
        requests:
          cpu: "16"
`,
  },
  {
    id: 'two-containers',
    title: 'Two containers in one pod',
    about: 'One writes a file, the other serves it: they share a volume and an address.',
    yaml: `apiVersion: v1
kind: Pod
metadata:
  name: pair
  labels:
    app: pair
spec:
  volumes:
    - name: shared
      emptyDir: {}
  containers:
    - name: writer
      image: busybox:1.37
      command: ["sh", "-c", "while true; do date > /data/index.html; sleep 10; done"]
      volumeMounts:
        - name: shared
          mountPath: /data
    - name: server
      image: nginx:1.27
      ports:
        - containerPort: 80
      volumeMounts:
        - name: shared
          mountPath: /usr/share/nginx/html
`,
  },
]
