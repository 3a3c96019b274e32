package main

import (
	"hash/fnv"

	"github.com/anishathalye/porcupine"
)

func hashOfText(state interface{}) uint64 {
	hash := fnv.New64a()
	hash.Write([]byte(state.(string)))
	return hash.Sum64()
}

func hashOfTexts(state interface{}) uint64 {
	var sum uint64
	for key, value := range state.(map[string]string) {
		hash := fnv.New64a()
		hash.Write([]byte(key))
		hash.Write([]byte(value))
		sum ^= hash.Sum64()
	}
	return sum
}

// What an operation asked for. Numbers of a register, texts of a store.
type input struct {
	f      string
	key    string
	number string
	next   string
}

// How it ended. An unknown one may have done anything that it could.
type output struct {
	known  bool
	failed bool
	value  string
}

// A register with compare and set; a failed cas has met another value.
var register = porcupine.Model{
	Hash: hashOfText,
	Init: func() interface{} { return "nil" },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		held, asked, told := state.(string), in.(input), out.(output)
		switch asked.f {
		case "read":
			return !told.known || told.value == held, held
		case "write":
			return true, asked.number
		default:
			fits := held == asked.number
			next := held
			if fits {
				next = asked.next
			}
			return !told.known || fits != told.failed, next
		}
	},
}

// Texts under keys, judged by key.
var byKey = porcupine.Model{
	PartitionEvent: func(history []porcupine.Event) [][]porcupine.Event {
		places := map[string]int{}
		place := map[int]int{}
		parts := [][]porcupine.Event{}
		for _, event := range history {
			if event.Kind == porcupine.CallEvent {
				key := event.Value.(input).key
				at, known := places[key]
				if !known {
					at = len(parts)
					places[key] = at
					parts = append(parts, nil)
				}
				place[event.Id] = at
			}
			at := place[event.Id]
			parts[at] = append(parts[at], event)
		}
		return parts
	},
	Hash: hashOfText,
	Init: func() interface{} { return "" },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		held, asked, told := state.(string), in.(input), out.(output)
		switch asked.f {
		case "get":
			return !told.known || told.value == held, held
		case "put":
			return true, asked.number
		default:
			return true, held + asked.number
		}
	},
}

// The same as one object: a state is all texts.
var together = porcupine.Model{
	Hash: hashOfTexts,
	Init: func() interface{} { return map[string]string{} },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		held, asked, told := state.(map[string]string), in.(input), out.(output)
		if asked.f == "get" {
			return !told.known || told.value == held[asked.key], held
		}
		next := make(map[string]string, len(held)+1)
		for key, value := range held {
			next[key] = value
		}
		if asked.f == "put" {
			next[asked.key] = asked.number
		} else {
			next[asked.key] += asked.number
		}
		return true, next
	},
	Equal: func(a, b interface{}) bool {
		left, right := a.(map[string]string), b.(map[string]string)
		if len(left) != len(right) {
			return false
		}
		for key, value := range left {
			if other, has := right[key]; !has || other != value {
				return false
			}
		}
		return true
	},
}
