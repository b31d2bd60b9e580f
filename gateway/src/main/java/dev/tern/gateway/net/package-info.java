/// Ports that doors listen on, and what their connections may hold.
@NullMarked
package dev.tern.gateway.net;

import org.jspecify.annotations.NullMarked;
