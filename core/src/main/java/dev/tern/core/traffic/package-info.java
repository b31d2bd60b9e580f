/// How much a shard takes on, and from whom it expects answers.
///
/// ```
///   request --> Admission      does its cost fit beside those under way? else refused
///               LargeWrites    large values wait for a window
///   read at ONE HotKeys        is the key hot?
///               ReadCache      what a replica said of a hot key lately
///   answers --> Peers          who is silent, slow, overloaded: whom an operation asks first
/// ```
///
/// Invariants:
/// - what is admitted is given back once, when its request ends;
/// - everything here is a bound or an estimate: no outcome of a request depends on it but *refused*
///   and the choice of replicas.
///
/// Threads: one shard's loop.
@NullMarked
package dev.tern.core.traffic;

import org.jspecify.annotations.NullMarked;
