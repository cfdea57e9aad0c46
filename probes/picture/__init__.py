"""The picture judge: measures of pictures, and decoding where a hostile one can do no harm."""
