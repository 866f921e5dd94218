package action

// restartedAt is the annotation of kubectl rollout restart.
var restartedAt = []string{"spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"}

func workloads() map[string][]builtin {
	restart := builtin{name: "restart", icon: iconRestart, run: stamping(rfc3339, restartedAt...)}
	scale := builtin{name: "scale", icon: iconPlus, params: []string{"replicas"}, run: func(r request) ([]Change, error) {
		n, err := r.replicas()
		if err != nil {
			return nil, err
		}
		return setting(n, "spec", "replicas")(r)
	}}
	return map[string][]builtin{
		"apps/DaemonSet":   {restart},
		"apps/StatefulSet": {restart, scale},
		"apps/Deployment": {restart, scale,
			{name: "pause", icon: iconPause, disabled: on("spec", "paused"), run: setting(true, "spec", "paused")},
			{name: "resume", icon: iconPlay, disabled: off("spec", "paused"), run: setting(false, "spec", "paused")},
		},
	}
}
