package dev.tern.server;
