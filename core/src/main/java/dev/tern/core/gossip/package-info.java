/// Failure detection as a state machine: which members are alive, suspected, dead or gone, and how
/// loaded they are. SWIM (Das, Gupta, Motivala, 2002) with the additions of Lifeguard (Dadgar,
/// Phillips, Currey, 2018).
///
/// ```
///   tick(now) -------------+                        +--> Send(to, datagram)
///   receive(now, from, ..)-+--> Gossip              +--> Event: Alive Suspect Dead Left
///   report(busy, disk) ----+      |
///   leave(now) ------------+      +- Belief of each member: (incarnation, status), load
///                                 +- ProbeOrder: whom to ask next     LocalHealth: how slow we are
///                                 +- RumourQueue: what to pass on, each a bounded number of times
///
///   a period:  ping ---- timeout ----> 3 others ping for us, and we again ---- end: accuse it
///   a claim:   ALIVE@i < SUSPECT@i < DEAD@i < LEFT@i < ALIVE@i+1     the greater is kept
///   a member that hears itself accused answers with a greater incarnation
/// ```
///
/// Invariants:
/// - a member believes of another the greatest claim that it has heard, so the order of arrival
///   does not matter;
/// - only a member itself raises its incarnation or says that it left; a life (a generation) never
///   uses an incarnation of an earlier one;
/// - a packet has at most [PacketWriter#MAX_PACKET_BYTES]; a member sends a rumour at most
///   [GossipBounds#transmits] times for each new claim;
/// - gossip says nothing of ownership. It reports that a member is dead or loaded; others decide
///   what follows. Members come and go for good with the topology only.
///
/// [GossipBounds] and docs/design/0004 say what is promised, with which probability.
///
/// Threads: one loop owns a [Gossip]. The class reaches clock, network and chance only through what
/// its owner gives it.
@NullMarked
package dev.tern.core.gossip;

import org.jspecify.annotations.NullMarked;
