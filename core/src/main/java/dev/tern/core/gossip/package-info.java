/// Who is alive, suspected, dead or gone, and how loaded: SWIM (Das, Gupta, Motivala, 2002) with
/// the additions of Lifeguard (Dadgar, Phillips, Currey, 2018), as a state machine.
///
/// ```
///   tick(now) -------------+                        +--> Send(to, datagram)
///   receive(now, from, ..)-+--> Gossip              +--> Event: Alive Suspect Dead Left
///   report(busy, disk) ----+      |
///   leave(now) ------------+      +- Record per member: (incarnation, status), load
///                                 +- ProbeOrder: whom to ask next     LocalHealth: how slow we are
///                                 +- RumourQueue: what to pass on, each a bounded number of times
///
///   a period:  ping ---- timeout ----> 3 others ping for us, and we again ---- end: accuse it
///   a claim:   ALIVE@i < SUSPECT@i < DEAD@i < LEFT@i < ALIVE@i+1     the greater is kept
///   a member that hears itself accused answers with a greater incarnation
/// ```
///
/// Invariants:
/// - what is believed of a member is the greatest claim heard, so the order of arrival is nothing;
/// - only a member itself raises its incarnation or says that it left; a life (a generation) never
///   uses an incarnation of an earlier one;
/// - a packet is at most [PacketWriter#MAX_PACKET_BYTES], a rumour is sent by a member at most
///   [GossipBounds#transmits] times for each new claim;
/// - it says nothing of ownership: a member is dead or loaded, what follows from that is decided
///   elsewhere, and members come and go for good with the topology only.
///
/// What is promised, with which probability: [GossipBounds] and docs/design/0004.
///
/// Threads: one loop owns a [Gossip]; it reaches neither clock nor network nor chance but through
/// what it is given.
@NullMarked
package dev.tern.core.gossip;

import org.jspecify.annotations.NullMarked;
