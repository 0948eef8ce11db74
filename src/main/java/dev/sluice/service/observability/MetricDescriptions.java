package dev.sluice.service.observability;

import java.util.Map;

import jakarta.inject.Singleton;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.config.MeterFilter;

/**
 * Describes meters that their library registers without a description, so that every metric has a HELP line. Filters run when a
 * meter is registered, not when it is used.
 *
 * @see <a href="https://github.com/micrometer-metrics/micrometer/blob/main/micrometer-core/src/main/java/io/micrometer/core/instrument/binder/netty4/NettyMeters.java">NettyMeters</a>
 */
@Singleton
class MetricDescriptions implements MeterFilter {

    private static final Map<String, String> DESCRIPTIONS = Map.of(
            "netty.allocator.memory.used", "Memory that an allocator of Netty has reserved, by memory.type",
            "netty.allocator.memory.pinned", "Memory of an allocator of Netty that buffers use, by memory.type",
            "netty.allocator.pooled.arenas", "Arenas of a pooled allocator of Netty, by memory.type",
            "netty.allocator.pooled.cache.size", "Size of a cache of a pooled allocator of Netty, by cache.type",
            "netty.allocator.pooled.chunk.size", "Size of the memory blocks that a pooled allocator of Netty reserves",
            "netty.allocator.pooled.threadlocal.caches", "Caches of threads in a pooled allocator of Netty",
            "netty.eventexecutor.tasks.pending", "Tasks that wait for an event loop");

    @Override
    public Meter.Id map(Meter.Id id) {
        var described = id.getDescription() != null && !id.getDescription().isBlank();
        var description = described ? null : DESCRIPTIONS.get(id.getName());
        return description == null
                ? id
                : new Meter.Id(id.getName(), Tags.of(id.getTags()), id.getBaseUnit(), description,
                        id.getType());
    }
}
