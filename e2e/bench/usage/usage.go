// Package usage reads the CPU time and memory of a process from /proc on Linux.
package usage

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is the CPU time and memory of a process.
type Usage struct {
	CPU      time.Duration // user and system time of all threads since the start
	Resident int64         // bytes of memory at present
}

// Of returns the usage of a process, or an error if there is none.
func Of(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, err
	}
	u, err := parse(string(stat), int64(os.Getpagesize()))
	if err != nil {
		return Usage{}, fmt.Errorf("process %d: %w", pid, err)
	}
	return u, nil
}

// tick is the unit of CPU time in /proc. USER_HZ is 100 on all platforms of Linux that Go supports.
const tick = 10 * time.Millisecond

// Indexes of the fields after the name. The state is index 0, and field 3 in proc_pid_stat(5).
const (
	userTime      = 14 - 3
	systemTime    = 15 - 3
	residentPages = 24 - 3
)

// parse parses /proc/PID/stat. The name is in parentheses, and may contain blanks and parentheses itself.
func parse(stat string, page int64) (Usage, error) {
	name := strings.LastIndexByte(stat, ')')
	fields := strings.Fields(stat[name+1:])
	if name < 0 || len(fields) <= residentPages {
		return Usage{}, fmt.Errorf("can't read %q", stat)
	}
	var numbers [3]int64
	for i, at := range []int{userTime, systemTime, residentPages} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("can't read %q: %w", stat, err)
		}
		numbers[i] = n
	}
	return Usage{CPU: time.Duration(numbers[0]+numbers[1]) * tick, Resident: numbers[2] * page}, nil
}
