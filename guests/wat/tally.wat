;; Counts in a key-value store: `count` adds one to a key of the bucket `default` and gives what it is then.
(component
  (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store
    (type $error' (variant (case "no-such-store") (case "access-denied") (case "other" string)))
    (export "error" (type $error (eq $error')))
    (export "bucket" (type $bucket (sub resource)))
    (export "open" (func (param "identifier" string) (result (result (own $bucket) (error $error)))))))
  (alias export $store "error" (type $error))
  (alias export $store "bucket" (type $bucket))
  (import "wasi:keyvalue/atomics@0.2.0-draft2" (instance $atomics
    (alias outer 1 $error (type $error'))
    (alias outer 1 $bucket (type $bucket'))
    (export "error" (type $error (eq $error')))
    (export "bucket" (type $bucket (eq $bucket')))
    (export "increment" (func (param "bucket" (borrow $bucket)) (param "key" string) (param "delta" s64)
      (result (result s64 (error $error)))))))

  (core module $room
    (memory (export "memory") 1)
    (data (i32.const 0) "default")
    (global $top (mut i32) (i32.const 64))
    (func (export "realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $top) (i32.const 65536)) (then unreachable))
      (local.get $at)))
  (core instance $room (instantiate $room))
  (alias core export $room "memory" (core memory $memory))
  (alias core export $room "realloc" (core func $realloc))
  (core func $open (canon lower (func $store "open") (memory $memory) (realloc $realloc)))
  (core func $increment (canon lower (func $atomics "increment") (memory $memory) (realloc $realloc)))
  (core func $drop (canon resource.drop $bucket))

  (core module $core
    (import "room" "memory" (memory 1))
    (import "host" "open" (func $open (param i32 i32 i32)))
    (import "host" "increment" (func $increment (param i32 i32 i32 i64 i32)))
    (import "host" "drop" (func $drop (param i32)))
    ;; What fails ends the call: the store is granted, so only a store out of reach does.
    (func (export "count") (param $key i32) (param $length i32) (result i64)
      (call $open (i32.const 0) (i32.const 7) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then unreachable))
      (call $increment (i32.load (i32.const 20)) (local.get $key) (local.get $length) (i64.const 1) (i32.const 32))
      (call $drop (i32.load (i32.const 20)))
      (if (i32.load8_u (i32.const 32)) (then unreachable))
      (i64.load (i32.const 40))))
  (core instance $guest (instantiate $core
    (with "room" (instance $room))
    (with "host" (instance (export "open" (func $open)) (export "increment" (func $increment)) (export "drop" (func $drop))))))
  (func (export "count") (param "key" string) (result s64)
    (canon lift (core func $guest "count") (memory $memory) (realloc $realloc))))
