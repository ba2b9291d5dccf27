"""The horse-20 pose network: data, augmentation, model, training, evaluation, export."""
