// Command porcupine times the checker of that name on histories that ours is timed on. It reads Jepsen's logs as a register with
// compare and set, and files of one map a line as texts under keys; reading is not timed.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/anishathalye/porcupine"
)

var (
	logLine = regexp.MustCompile(`^INFO\s+jepsen\.util - (\d+)\s+:(\w+)\s+:(\w+)\s+(.*)$`)
	mapLine = regexp.MustCompile(`:process (\d+), :type :(\w+), :f :(\w+), :key "([^"]*)", :value (nil|"[^"]*")`)
)

type line struct {
	process, kind, f, key, value string
}

type figure struct {
	File    string  `json:"file"`
	Verdict string  `json:"verdict"`
	Ms      float64 `json:"ms"`
	CpuMs   float64 `json:"cpuMs"`
}

func main() {
	rounds := flag.Int("rounds", 5, "how often each history is checked; the median counts")
	whole := flag.Bool("whole", false, "whether texts are judged as one object")
	limit := flag.Duration("limit", 20*time.Second, "when to give up one check")
	flag.Parse()
	out := json.NewEncoder(os.Stdout)
	for _, path := range flag.Args() {
		text, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		events, model := read(string(text), *whole)
		if err := out.Encode(measure(path, events, model, *rounds, *limit)); err != nil {
			os.Exit(1)
		}
	}
}

func measure(path string, events []porcupine.Event, model porcupine.Model, rounds int, limit time.Duration) figure {
	times, cpu := []float64{}, []float64{}
	verdict := ""
	for i := 0; i < rounds && verdict != "unknown"; i++ {
		before, began := processorMs(), time.Now()
		switch porcupine.CheckEventsTimeout(model, events, limit) {
		case porcupine.Ok:
			verdict = "valid"
		case porcupine.Illegal:
			verdict = "invalid"
		default:
			verdict = "unknown"
		}
		times = append(times, float64(time.Since(began).Microseconds())/1000)
		cpu = append(cpu, processorMs()-before)
	}
	return figure{path, verdict, median(times), median(cpu)}
}

func median(values []float64) float64 {
	sort.Float64s(values)
	return values[len(values)/2]
}

func processorMs() float64 {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	micros := (used.Utime.Sec+used.Stime.Sec)*1_000_000 + int64(used.Utime.Usec) + int64(used.Stime.Usec)
	return float64(micros) / 1000
}

// read pairs lines into events. What was not answered ends after everything else, with an unknown outcome.
func read(text string, whole bool) ([]porcupine.Event, porcupine.Model) {
	model := register
	events := []porcupine.Event{}
	open := map[string]int{}
	next := 0
	for _, raw := range strings.Split(text, "\n") {
		found, isMap := parse(raw)
		if found == nil {
			continue
		}
		if isMap {
			model = byKey
		}
		if found.kind == "invoke" {
			events = append(events, porcupine.Event{Kind: porcupine.CallEvent, Value: asked(found), Id: next})
			open[found.process] = next
			next++
			continue
		}
		id, known := open[found.process]
		if !known || found.kind == "info" {
			continue
		}
		delete(open, found.process)
		isTold := !strings.HasPrefix(found.value, ":")
		told := output{known: isTold, failed: found.kind == "fail", value: found.value}
		events = append(events, porcupine.Event{Kind: porcupine.ReturnEvent, Value: told, Id: id})
	}
	left := []int{}
	for _, id := range open {
		left = append(left, id)
	}
	sort.Ints(left)
	for _, id := range left {
		events = append(events, porcupine.Event{Kind: porcupine.ReturnEvent, Value: output{}, Id: id})
	}
	if whole {
		model = together
	}
	return events, model
}

func parse(raw string) (*line, bool) {
	if found := logLine.FindStringSubmatch(raw); found != nil {
		return &line{found[1], found[2], found[3], "", strings.TrimSpace(found[4])}, false
	}
	if found := mapLine.FindStringSubmatch(raw); found != nil {
		return &line{found[1], found[2], found[3], found[4], strings.Trim(found[5], `"`)}, true
	}
	return nil, false
}

func asked(found *line) input {
	parts := strings.Fields(strings.Trim(found.value, "[]"))
	if found.f == "cas" && len(parts) == 2 {
		return input{f: found.f, number: parts[0], next: parts[1]}
	}
	return input{f: found.f, key: found.key, number: found.value}
}
