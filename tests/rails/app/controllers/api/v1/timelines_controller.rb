# frozen_string_literal: true

module Api
  module V1
    class TimelinesController < Api::BaseController
      before_action -> { doorkeeper_authorize! :read, :'read:statuses' }, only: :home
      before_action :require_user!, only: :home

      def home
        render json: newest
      end

      def public_timeline
        render json: newest
      end

      private

      def newest = Status.includes(:account).order(id: :desc).limit(20)
    end
  end
end
