;; Two components inside a third: `twice` calls an imported function two times, `shout` provides it.
(component
  (component $shout
    (core module $core
      (memory (export "memory") 1)
      (global $top (mut i32) (i32.const 64))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (local $at i32)
        (local.set $at (global.get $top))
        (global.set $top (i32.add (local.get $at) (i32.add (local.get 3) (i32.const 1))))
        (if (i32.gt_u (global.get $top) (i32.const 65536)) (then unreachable))
        (local.get $at))
      (func (export "post-return") (param i32) (global.set $top (i32.const 64)))
      ;; Room for one byte more follows each string.
      (func (export "shout") (param $at i32) (param $length i32) (result i32)
        (i32.store8 (i32.add (local.get $at) (local.get $length)) (i32.const 33))
        (i32.store (i32.const 16) (local.get $at))
        (i32.store (i32.const 20) (i32.add (local.get $length) (i32.const 1)))
        (i32.const 16)))
    (core instance $guest (instantiate $core))
    (alias core export $guest "memory" (core memory $memory))
    (func (export "apply") (param "s" string) (result string)
      (canon lift (core func $guest "shout") (memory $memory) (realloc (core func $guest "realloc"))
        (post-return (core func $guest "post-return")))))

  (component $twice
    (import "apply" (func $apply (param "s" string) (result string)))
    (core module $room
      (memory (export "memory") 1)
      (global $top (mut i32) (i32.const 64))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (local $at i32)
        (local.set $at (global.get $top))
        (global.set $top (i32.add (local.get $at) (local.get 3)))
        (if (i32.gt_u (global.get $top) (i32.const 65536)) (then unreachable))
        (local.get $at))
      (func (export "post-return") (param i32) (global.set $top (i32.const 64))))
    (core instance $room (instantiate $room))
    (alias core export $room "memory" (core memory $memory))
    (alias core export $room "realloc" (core func $realloc))
    (core func $apply' (canon lower (func $apply) (memory $memory) (realloc $realloc)))
    (core module $core
      (import "room" "memory" (memory 1))
      (import "host" "apply" (func $apply (param i32 i32 i32)))
      (func (export "twice") (param $at i32) (param $length i32) (result i32)
        (call $apply (local.get $at) (local.get $length) (i32.const 16))
        (call $apply (i32.load (i32.const 16)) (i32.load (i32.const 20)) (i32.const 16))
        (i32.const 16)))
    (core instance $guest (instantiate $core
      (with "room" (instance $room))
      (with "host" (instance (export "apply" (func $apply'))))))
    (func (export "twice") (param "s" string) (result string)
      (canon lift (core func $guest "twice") (memory $memory) (realloc $realloc) (post-return (core func $room "post-return")))))

  (instance $inner (instantiate $shout))
  (instance $outer (instantiate $twice (with "apply" (func $inner "apply"))))
  (export "shout" (func $inner "apply"))
  (export "twice" (func $outer "twice")))
