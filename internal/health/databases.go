package health

import "strings"

func databases() map[string]check {
	return merged(
		each("postgresql.cnpg.io", always(cnpgCluster), "Cluster"),
		each("postgresql.cnpg.io", byField(words{
			field: []string{"status", "phase"}, message: []string{"status", "error"}, waiting: "The backup has not started yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "completed"), phases(Degraded, "failed", "walArchivingFailing")),
		}), "Backup"),
		each("postgresql.cnpg.io", suspended("The schedule is suspended", withStatus(scheduled), "spec", "suspend"), "ScheduledBackup"),
		each("postgresql.cnpg.io", always(cnpgPooler), "Pooler"),
		each("postgresql.cnpg.io", always(cnpgApplied), "Database", "Publication", "Subscription"),
		each("acid.zalan.do", byField(words{
			field: []string{"status", "PostgresClusterStatus"}, waiting: "The cluster has not been observed by the operator yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "Running"), phases(Degraded, "CreateFailed", "UpdateFailed", "SyncFailed", "Invalid")),
		}), "postgresql"),
		each("databases.spotahome.com", withStatus(generic), "RedisFailover"),
		each("mysql.oracle.com", byField(words{
			field: []string{"status", "cluster", "status"}, waiting: "The cluster has not been observed by the operator yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "ONLINE"), phases(Degraded, "OFFLINE", "INVALID", "NO_QUORUM", "OFFLINE_UNCERTAIN", "ONLINE_UNCERTAIN", "SPLIT_BRAIN"), phases(Unknown, "UNKNOWN")),
		}), "InnoDBCluster"),
		each("k8s.mariadb.com", suspended("The reconciliation is suspended", byConditions("It has not been observed by the operator yet",
			isFalse("Ready", Degraded).because("Failed", "Error"), isFalse("Ready", Progressing), isTrue("Ready", Healthy)), "spec", "suspend"),
			"MariaDB", "MaxScale", "Database", "User", "Grant", "Connection", "Backup", "Restore", "SqlJob"),
		each("mongodbcommunity.mongodb.com", phase("Running", "Failed"), "MongoDBCommunity"),
		each("pxc.percona.com", percona, "PerconaXtraDBCluster"),
		each("psmdb.percona.com", percona, "PerconaServerMongoDB"),
		each("rabbitmq.com", byConditions("The cluster has not been observed by the operator yet",
			isFalse("ReconcileSuccess", Degraded), isFalse("AllReplicasReady", Progressing), isFalse("ClusterAvailable", Progressing),
			isTrue("ClusterAvailable", Healthy)), "RabbitmqCluster"),
		each("elasticsearch.k8s.elastic.co", elastic, "Elasticsearch"),
		each("kibana.k8s.elastic.co", elastic, "Kibana"),
		each("apm.k8s.elastic.co", elastic, "ApmServer"),
		each("beat.k8s.elastic.co", elastic, "Beat"),
		each("agent.k8s.elastic.co", elastic, "Agent"),
		each("logstash.k8s.elastic.co", elastic, "Logstash"),
		each("minio.min.io", byField(words{
			field: []string{"status", "currentState"}, waiting: "The tenant has not been observed by the operator yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "Initialized"), phases(Degraded, "Tenant state not ready", "Multiple tenants exist in the namespace", "Unable to update")),
		}), "Tenant"),
	)
}

// phase reads status.phase where all values but two mean that work goes on.
func phase(good string, bad ...string) check {
	return byField(words{
		field: []string{"status", "phase"}, message: []string{"status", "message"}, waiting: "It has not been observed by its controller yet", otherwise: Progressing,
		meaning: either(phases(Healthy, good), phases(Degraded, bad...)),
	})
}

var percona = suspended("The cluster is paused", byField(words{
	field: []string{"status", "state"}, message: []string{"status", "message"}, waiting: "The cluster has not been observed by the operator yet", otherwise: Progressing,
	meaning: either(phases(Healthy, "ready"), phases(Degraded, "error"), phases(Suspended, "paused")),
}), "spec", "pause")

// elastic reads the health that the operator reports as a colour.
func elastic(obj map[string]any) (Result, bool) {
	if outdated(obj) {
		return unseen(unobserved), true
	}
	switch colour := text(obj, "status", "health"); colour {
	case "green":
		return Result{Status: Healthy}, true
	case "yellow":
		return say(Progressing, "Its health is yellow: some replicas are not allocated"), true
	case "red":
		return say(Degraded, "Its health is red"), true
	default:
		return say(Progressing, "Its health is not known yet"), true
	}
}

const cnpgHealthy = "Cluster in healthy state"

// cnpgBad and cnpgWaits are beginnings of the phases, which are sentences, in which an operator of the cluster has to act.
var (
	cnpgBad = []string{
		"Unable to create required cluster objects", "Not enough disk space", "Cluster is unrecoverable", "Cluster cannot proceed", "Cluster cannot execute",
		"Cluster has incomplete or invalid image catalog", "Cluster upgrade failed", "Unknown plugin", "Plugin failed",
	}
	cnpgWaits = []string{"Waiting for user action", "Cluster upgrade delayed"}
)

func cnpgCluster(obj map[string]any) Result {
	if annotation(obj, "cnpg.io/hibernation") == "on" {
		return say(Suspended, "The cluster is hibernated")
	}
	phase, why := text(obj, "status", "phase"), text(obj, "status", "phaseReason")
	switch {
	case phase == "":
		return say(Progressing, "The cluster has not been observed by the operator yet")
	case startsWith(phase, cnpgBad):
		return say(Degraded, because(phase, why))
	case startsWith(phase, cnpgWaits):
		return say(Suspended, because(phase, why))
	case phase != cnpgHealthy:
		return say(Progressing, because(phase, why))
	}
	for _, c := range conditions(obj) {
		if c.kind == "ContinuousArchiving" && c.status == "False" {
			return say(Degraded, because("WAL files are not archived", c.why())).from(c.since)
		}
		if c.kind == "Ready" && c.status == "False" {
			return say(Progressing, because("The cluster is not ready", c.why())).from(c.since)
		}
	}
	return say(Healthy, phase)
}

func startsWith(s string, beginnings []string) bool {
	for _, beginning := range beginnings {
		if strings.HasPrefix(s, beginning) {
			return true
		}
	}
	return false
}

func scheduled(map[string]any) (Result, bool) { return say(Healthy, "The schedule is in force"), true }

func cnpgPooler(obj map[string]any) Result {
	want, have := amount(obj, "spec", "instances"), amount(obj, "status", "instances")
	if have < want {
		return say(Progressing, count(have, "instance")+" of "+count(want, "instance")+" made")
	}
	return Result{Status: Healthy}
}

func cnpgApplied(obj map[string]any) Result {
	if outdated(obj) {
		return unseen(unobserved)
	}
	applied, says := at(obj, "status", "applied").(bool)
	switch {
	case !says:
		return say(Progressing, "It has not been applied to the database yet")
	case applied:
		return Result{Status: Healthy}
	default:
		return say(Degraded, because("It cannot be applied to the database", text(obj, "status", "message")))
	}
}
