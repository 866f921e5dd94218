package kubelet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/pki"
)

const (
	streamIdleTimeout   = 4 * time.Hour
	streamCreateTimeout = 30 * time.Second
	stopWithin          = time.Second
)

// Server answers for every kubelet.
type Server struct {
	pods   corelisters.PodLister
	now    func() time.Time
	server *http.Server
}

// New returns a server that knows pods and lets in only who shows a
// certificate of the cluster's authority.
func New(pods corelisters.PodLister, certs pki.Dir, now func() time.Time) (*Server, error) {
	certificate, err := tls.LoadX509KeyPair(certs.Cert(pki.Kubelet), certs.Key(pki.Kubelet))
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of the kubelets: %w", err)
	}
	ca, err := os.ReadFile(certs.Cert(pki.CA))
	if err != nil {
		return nil, fmt.Errorf("reading the cluster authority: %w", err)
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(ca) {
		return nil, errors.New("the cluster authority is not a certificate")
	}
	s := &Server{pods: pods, now: now}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.logs)
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", s.exec)
	mux.HandleFunc("/attach/{namespace}/{pod}/{container}", s.attach)
	s.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			ClientCAs:    clients,
			ClientAuth:   tls.RequireAndVerifyClientCert,
			MinVersion:   tls.VersionTLS12,
			// Streams are upgraded from HTTP/1.1.
			NextProtos: []string{"http/1.1"},
		},
	}
	return s, nil
}

// Run serves on listener until the context ends.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if s.server.Shutdown(grace) != nil {
			s.server.Close()
		}
	}()
	s.server.BaseContext = func(net.Listener) context.Context { return ctx }
	err := s.server.ServeTLS(listener, "", "")
	if errors.Is(err, http.ErrServerClosed) {
		<-stopped
		return nil
	}
	return fmt.Errorf("serving as kubelet: %w", err)
}

// target is the container that a request is about.
type target struct {
	pod    *corev1.Pod
	spec   corev1.Container
	status *corev1.ContainerStatus
}

// find returns the container that a request names, or answers the request
// with what is wrong.
func (s *Server) find(w http.ResponseWriter, r *http.Request) (target, bool) {
	t, err := s.lookUp(r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"))
	switch {
	case apierrors.IsNotFound(err):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return t, err == nil
}

func (s *Server) lookUp(namespace, name, container string) (target, error) {
	pod, err := s.pods.Pods(namespace).Get(name)
	if err != nil {
		return target{}, err
	}
	t := target{pod: pod}
	for _, c := range append(pod.Spec.InitContainers[:len(pod.Spec.InitContainers):len(pod.Spec.InitContainers)], pod.Spec.Containers...) {
		if c.Name == container {
			t.spec = c
		}
	}
	for _, c := range pod.Spec.EphemeralContainers {
		if c.Name == container {
			t.spec = corev1.Container(c.EphemeralContainerCommon)
		}
	}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses} {
		for i := range statuses {
			if statuses[i].Name == container {
				t.status = &statuses[i]
			}
		}
	}
	if t.spec.Name == "" || t.status == nil {
		return target{}, fmt.Errorf("container %q is not available in pod %q", container, name)
	}
	return t, nil
}

// exec answers kubectl exec.
func (s *Server) exec(w http.ResponseWriter, r *http.Request) {
	t, ok := s.find(w, r)
	if !ok {
		return
	}
	if t.status.State.Running == nil {
		http.Error(w, fmt.Sprintf("container %q is not running", t.spec.Name), http.StatusBadRequest)
		return
	}
	options, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(lingering{w}, r, executor{target: t, now: s.now}, t.pod.Name, string(t.pod.UID), t.spec.Name,
		r.URL.Query()["command"], options, streamIdleTimeout, streamCreateTimeout, remotecommand.SupportedStreamingProtocols)
}

// attach answers kubectl attach with the container's log.
func (s *Server) attach(w http.ResponseWriter, r *http.Request) {
	t, ok := s.find(w, r)
	if !ok {
		return
	}
	options, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeAttach(lingering{w}, r, attacher{server: s, target: t}, t.pod.Name, string(t.pod.UID), t.spec.Name,
		options, streamIdleTimeout, streamCreateTimeout, remotecommand.SupportedStreamingProtocols)
}
