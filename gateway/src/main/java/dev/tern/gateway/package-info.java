package dev.tern.gateway;
