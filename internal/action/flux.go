package action

import "time"

func flux() map[string][]builtin {
	suspend := builtin{name: "suspend", icon: iconPause, disabled: on("spec", "suspend"), run: setting(true, "spec", "suspend")}
	resume := builtin{name: "resume", icon: iconPlay, disabled: off("spec", "suspend"), run: setting(false, "spec", "suspend")}
	reconcile := builtin{name: "reconcile", icon: iconRefresh, disabled: on("spec", "suspend"),
		run: stamping(func(t time.Time) string { return t.Format(time.RFC3339Nano) }, "metadata", "annotations", "reconcile.fluxcd.io/requestedAt")}
	out := map[string][]builtin{}
	for _, kind := range []string{
		"source.toolkit.fluxcd.io/GitRepository", "source.toolkit.fluxcd.io/HelmRepository", "source.toolkit.fluxcd.io/HelmChart",
		"source.toolkit.fluxcd.io/Bucket", "source.toolkit.fluxcd.io/OCIRepository", "kustomize.toolkit.fluxcd.io/Kustomization",
		"helm.toolkit.fluxcd.io/HelmRelease", "image.toolkit.fluxcd.io/ImageRepository", "image.toolkit.fluxcd.io/ImageUpdateAutomation",
		"notification.toolkit.fluxcd.io/Receiver",
	} {
		out[kind] = []builtin{reconcile, suspend, resume}
	}
	for _, kind := range []string{"notification.toolkit.fluxcd.io/Alert", "notification.toolkit.fluxcd.io/Provider"} {
		out[kind] = []builtin{suspend, resume}
	}
	return out
}
