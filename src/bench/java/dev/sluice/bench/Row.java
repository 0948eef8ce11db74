package dev.sluice.bench;

import java.util.List;

/** A row of the benchmark: what is compared, and how. */
@FunctionalInterface
interface Row {

    List<Figure> measure(Lab lab) throws Exception;
}
