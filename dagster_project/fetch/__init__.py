"""Getting the files of a day from where they are published, into landing."""
