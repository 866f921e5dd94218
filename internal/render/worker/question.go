package worker

// operation is what a worker asks its parent.
type operation byte

const (
	opOpen operation = iota + 1
	opStat
	opLstat
	opReadDir
	opReadFile
	opReadLink
	opReadTree
	opVariable
	opHasAPI
	opAPIVersions
	opChart
	opArchive
	opRepository
	opDownload
	opDataKey
	opKeyring
	opGenerate
	opDiscover
)

// local reports whether an operation is about files at hand, which are read at once. Others may wait for the network.
func (o operation) local() bool { return o <= opReadTree }

const (
	// maxQuestion bounds one question.
	maxQuestion = 4 << 20
	// rootFiles is the number of the source's own files; the others follow.
	rootFiles = 0
)
