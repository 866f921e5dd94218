// Package health says how well one Kubernetes object does, judged only from what the object itself says.
//
// [Assess] looks at the group and kind of an object and answers with one of Argo CD's six words and one sentence. It
// is a pure function: it reads the unstructured object in place, converts nothing, allocates only for its message, and
// takes any shape of data, since an object may come from a foreign API server or from a file. A field that is missing
// or of another type than expected counts as absent.
//
// [Worse] and [Worst] order the words, and [Overall] folds the objects of an application into one.
//
// Built in are the kinds that Argo CD assesses in Go (Pod, Service, PersistentVolumeClaim, the workloads of apps, Job,
// Ingress, HorizontalPodAutoscaler, APIService, Workflow) and, of those it assesses by script, CronJob,
// PodDisruptionBudget and CustomResourceDefinition. Health of other kinds is unknown to this package: Assess answers
// false, and such an object does not count.
package health
