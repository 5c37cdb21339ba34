"""Ask the systems that connections lead to. Changes nothing but a probe object."""
