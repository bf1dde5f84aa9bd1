"""What was computed: attributions without labels, and the Dataset made of them."""
