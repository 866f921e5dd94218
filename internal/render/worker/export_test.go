package worker

// PIDs are the numbers of the processes that there are.
func (p *Pool) PIDs() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var pids []int
	for w := range p.all {
		pids = append(pids, w.cmd.Process.Pid)
	}
	return pids
}

// RaceDetector tells that this binary has the race detector in it, which needs files and much memory of its own.
const RaceDetector = raceDetector
