package cluster

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestDeploymentBecomesReadyAndItsPodsHaveAddresses(t *testing.T) {
	f := parallel(t)
	deployments := f.client.AppsV1().Deployments(f.namespace)
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Selector: selector("web"),
			Template: podTemplate("web", corev1.RestartPolicyAlways, container("web", "serve")),
		},
	}
	began := time.Now()
	if _, err := deployments.Create(t.Context(), deployment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "2 available", func() (string, error) {
		d, err := deployments.Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d available", d.Status.AvailableReplicas), nil
	})
	t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))

	pods, err := f.client.CoreV1().Pods(f.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	addresses := map[string]bool{}
	for _, pod := range pods.Items {
		addresses[pod.Status.PodIP] = true
		if pod.Status.HostIP == "" || pod.Status.StartTime == nil || pod.Status.Phase != corev1.PodRunning {
			t.Errorf("the status of %s is %+v", pod.Name, pod.Status)
		}
		for _, entry := range pod.ManagedFields {
			if entry.Subresource == "status" && entry.Manager != "kubelet" && entry.Manager != "kube-scheduler" {
				t.Errorf("the status of %s belongs to %s", pod.Name, entry.Manager)
			}
		}
	}
	if len(addresses) != 2 || addresses[""] {
		t.Errorf("the pods have the addresses %v", addresses)
	}

	if err := deployments.Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "0 pods", func() (string, error) {
		pods, err := f.client.CoreV1().Pods(f.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d pods", len(pods.Items)), nil
	})
}

func TestStatefulSetBecomesReadyAndItsClaimsAreBound(t *testing.T) {
	f := parallel(t)
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "db"},
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(2)), Selector: selector("db"), ServiceName: "db",
			Template: podTemplate("db", corev1.RestartPolicyAlways, container("db", "serve")),
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{
				ObjectMeta: metav1.ObjectMeta{Name: "data"},
				Spec: corev1.PersistentVolumeClaimSpec{
					AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
					Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
				},
			}},
		},
	}
	if _, err := f.client.AppsV1().StatefulSets(f.namespace).Create(t.Context(), set, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "2 available", func() (string, error) {
		s, err := f.client.AppsV1().StatefulSets(f.namespace).Get(t.Context(), "db", metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d available", s.Status.AvailableReplicas), nil
	})
	claims := f.client.CoreV1().PersistentVolumeClaims(f.namespace)
	claim, err := claims.Get(t.Context(), "data-db-1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if claim.Status.Phase != corev1.ClaimBound {
		t.Errorf("the claim is %s", claim.Status.Phase)
	}

	// A volume goes with its claim.
	if err := f.client.AppsV1().StatefulSets(f.namespace).Delete(t.Context(), "db", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := claims.Delete(t.Context(), claim.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "gone", func() (string, error) {
		_, err := f.client.CoreV1().PersistentVolumes().Get(t.Context(), claim.Spec.VolumeName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return "gone", nil
		}
		return "there", err
	})
}

func TestDaemonSetRunsOnEveryNode(t *testing.T) {
	f := parallel(t)
	set := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "agent"},
		Spec: appsv1.DaemonSetSpec{
			Selector: selector("agent"),
			Template: podTemplate("agent", corev1.RestartPolicyAlways, container("agent", "serve")),
		},
	}
	if _, err := f.client.AppsV1().DaemonSets(f.namespace).Create(t.Context(), set, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "3 of 3", func() (string, error) {
		s, err := f.client.AppsV1().DaemonSets(f.namespace).Get(t.Context(), "agent", metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d of %d", s.Status.NumberAvailable, s.Status.DesiredNumberScheduled), nil
	})
}

func TestJobEndsAsItsCommandSays(t *testing.T) {
	for behaviour, test := range map[string]struct {
		command string
		want    batchv1.JobConditionType
		atLeast time.Duration
	}{
		"an unknown command completes": {"migrate up", batchv1.JobComplete, 0},
		"true completes":               {"true", batchv1.JobComplete, 0},
		"exit 3 fails":                 {"exit 3", batchv1.JobFailed, 0},
		"sleep 2 completes after it":   {"sleep 2", batchv1.JobComplete, 2 * time.Second},
	} {
		t.Run(behaviour, func(t *testing.T) {
			f := parallel(t)
			job := &batchv1.Job{
				ObjectMeta: metav1.ObjectMeta{Name: "job"},
				Spec: batchv1.JobSpec{
					BackoffLimit: new(int32(0)),
					Template:     podTemplate("job", corev1.RestartPolicyNever, container("job", test.command)),
				},
			}
			began := time.Now()
			if _, err := f.client.BatchV1().Jobs(f.namespace).Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			eventually(t, string(test.want), func() (string, error) {
				j, err := f.client.BatchV1().Jobs(f.namespace).Get(t.Context(), "job", metav1.GetOptions{})
				if err != nil {
					return "", err
				}
				for _, c := range j.Status.Conditions {
					if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
						return string(c.Type), nil
					}
				}
				return "going on", nil
			})
			if took := time.Since(began); took < test.atLeast {
				t.Errorf("it took only %s", took)
			}
		})
	}
}

func TestPodDoesWhatItsCommandSays(t *testing.T) {
	missing := container("c", "")
	missing.Image = "registry.invalid/team/app:1"
	for behaviour, test := range map[string]struct {
		policy    corev1.RestartPolicy
		container corev1.Container
		want      string
	}{
		"a server runs":                     {corev1.RestartPolicyNever, container("c", "serve"), "Running running"},
		"true succeeds":                     {corev1.RestartPolicyNever, container("c", "true"), "Succeeded Completed"},
		"exit 0 succeeds":                   {corev1.RestartPolicyNever, container("c", "exit 0"), "Succeeded Completed"},
		"false fails":                       {corev1.RestartPolicyNever, container("c", "false"), "Failed Error"},
		"false is repeated when it may":     {corev1.RestartPolicyAlways, container("c", "false"), "Running CrashLoopBackOff"},
		"an image of .invalid stays unread": {corev1.RestartPolicyAlways, missing, "Pending ImagePullBackOff"},
	} {
		t.Run(behaviour, func(t *testing.T) {
			f := parallel(t)
			f.pod("c", test.policy, test.container)
			eventually(t, test.want, f.phase("c"))
		})
	}
}

func TestLoadBalancerAndIngressGetAnAddress(t *testing.T) {
	f := parallel(t)
	services := f.client.CoreV1().Services(f.namespace)
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}},
		},
	}
	if _, err := services.Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "1 address", func() (string, error) {
		s, err := services.Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d address", len(s.Status.LoadBalancer.Ingress)), nil
	})

	ingresses := f.client.NetworkingV1().Ingresses(f.namespace)
	ingress := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}},
		}},
	}
	if _, err := ingresses.Create(t.Context(), ingress, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "1 address", func() (string, error) {
		i, err := ingresses.Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d address", len(i.Status.LoadBalancer.Ingress)), nil
	})
}
