"""Files as rows, whatever their shape: opening (what may be read at all), csv_lines, json_lines."""
