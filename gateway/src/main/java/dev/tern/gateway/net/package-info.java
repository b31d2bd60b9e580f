/// Ports that doors listen on.
@NullMarked
package dev.tern.gateway.net;

import org.jspecify.annotations.NullMarked;
